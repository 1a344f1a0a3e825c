/// One rule with the series that it watches and their alerts; internal to AlertEngine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "monitor/alert_event.h"
#include "monitor/alert_rules.h"
#include "monitor/counter_history.h"

namespace suanli::monitor {

class WatchedRule {
 public:
  explicit WatchedRule(AlertRule rule);

  /// Reads the rule's series at `time`, judges them and adds events; `before` is the time of the observation before.
  void observe(double time, std::optional<double> before, const std::vector<MetricSample>& samples,
               std::vector<AlertEvent>& events);

  const std::string& name() const { return rule_.name; }
  size_t firing() const;
  int64_t ignored() const { return ignored_; }
  Json state() const;
  void restore(const Json& alerts);

 private:
  struct Alert {
    bool firing = false;
    std::optional<double> since, false_since;  ///< the condition holds; it does so no more, and the alert still fires
    double sent = 0, seen = 0;                 ///< seconds: of the last event, of the last sample
    double value = 0, expected = 0;            ///< expected: of a surge
    std::unique_ptr<SurgeDetector> detector;
  };
  /// The series of one alert at one moment.
  struct Group {
    bool known = false;                ///< has a value
    double value = 0;                  ///< sum of values or rates, or of increases since the last observation
    double interval = 0;               ///< seconds that the increases are of
    std::map<double, double> buckets;  ///< of a quantile: upper bound to rate
  };
  struct Verdict {
    bool holds = false;
    std::string text;  ///< "is 0.7, above 0.5"
  };
  bool selects(const MetricSample& sample) const;
  Labels group_labels(const Labels& labels) const;
  CounterHistory* history_of(const MetricSample& sample, double time, std::optional<double> before);
  std::map<Labels, Group> collect(double time, std::optional<double> before, const std::vector<MetricSample>& samples);
  Verdict compare(const Group& group, Alert& alert) const;
  Verdict detect(const Group& group, double time, Alert& alert) const;
  void judge(const Labels& labels, const Group& group, double time, std::vector<AlertEvent>& events);
  void forget(double time, std::vector<AlertEvent>& events);
  AlertEvent event(const Labels& labels, const Alert& alert, double time, const std::string& text) const;

  AlertRule rule_;
  std::string sample_name_;   ///< of the series that it reads
  double count_window_ = 0;   ///< of a surge of counts; 0: none
  bool of_counters_ = false;  ///< compares or detects increases
  std::unordered_map<std::string, CounterHistory> series_;
  std::map<Labels, Alert> alerts_;
  int64_t ignored_ = 0;
};

}  // namespace suanli::monitor
