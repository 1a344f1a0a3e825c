/// Judges metrics by alert rules as time goes on: alerts that fire, are told again, and are resolved.
#pragma once

#include <optional>
#include <vector>

#include "monitor/alert_event.h"
#include "monitor/alert_rules.h"

namespace suanli::monitor {

class WatchedRule;

/// One alert per rule and series (or per combination of the labels that the rule sums by).
///
/// An alert fires at the first observation at which its condition has held at all observations for `for`; one event
/// says so, and another each `repeat`. It is resolved at the first observation at which the condition has not held for
/// `keep_firing_for`; NaN holds no condition. A series that is missing is not judged; after 300 s its alert is
/// resolved. A counter that first appears after the first observation began at 0 at the observation before: the first
/// error of a kind counts. Thread compatible.
class AlertEngine {
 public:
  explicit AlertEngine(std::vector<AlertRule> rules);
  ~AlertEngine();
  AlertEngine(AlertEngine&&) noexcept;
  AlertEngine& operator=(AlertEngine&&) noexcept;

  /// What is at `time` (seconds, since 1970 where events shall have dates; one that runs back counts as the last).
  /// Gives the events of this moment in the order of the rules. Throws UserError for a pattern that takes too long.
  std::vector<AlertEvent> observe(double time, const std::vector<MetricSample>& samples);

  /// How many alerts are firing.
  size_t firing() const;

  /// Series beyond 20,000 of a rule are not watched; how often one was passed over.
  int64_t ignored() const;

  /// What a restarted program goes on from: alerts and detectors; windows of rates begin again. Rules are known by
  /// name; what has no rule any more is left out. restore() throws UserError for JSON that is no such state.
  Json state() const;
  void restore(const Json& state);

 private:
  std::vector<WatchedRule> rules_;
  std::optional<double> time_;  ///< of the last observation
};

}  // namespace suanli::monitor
