/// Rules that say when metrics call for somebody: read from YAML, judged by AlertEngine (alerts.h).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/label_pattern.h"
#include "monitor/surge.h"

namespace suanli::monitor {

/// Where events go; what it means is the program's affair.
inline constexpr const char* kDeliveries[] = {"log", "webhook"};

/// One rule. Exactly one of above, below and surge is set. Times are in seconds.
struct AlertRule {
  std::string name, metric;
  std::map<std::string, LabelPattern> labels;  ///< only series all of whose labels match
  std::optional<std::vector<std::string>> by;  ///< series are summed to one for each combination of these labels
  std::optional<double> quantile;              ///< of the histogram `metric`, from its increase over `rate`
  double rate = 0;                             ///< window of a rate per second, or of the quantile; 0: the value itself
  std::optional<double> above, below;
  std::optional<SurgeOptions> surge;
  double for_seconds = 0;          ///< the condition holds that long before it fires
  double keep_firing_seconds = 0;  ///< it does not hold that long before it is resolved
  double repeat_seconds = 0;       ///< a firing alert is told again; 0: never
  std::string severity;
  std::map<std::string, std::string> annotations;  ///< with {{ $value }} and {{ $labels.NAME }}
  std::vector<std::string> deliver;
};

/// Parses the `rules` of a YAML document (docs/alerts.md lists the keys). Throws UserError with the line: unknown keys,
/// with the nearest name; a value that its key cannot hold; no or several conditions; two rules of one name.
std::vector<AlertRule> parse_alert_rules(std::string_view yaml, std::string_view where);

/// The same from a file of at most 1 MiB.
std::vector<AlertRule> read_alert_rules(const std::filesystem::path& file);

/// "90", "90s", "1h30m", "500ms" in seconds, as Prometheus writes durations (units y w d h m s ms, each once, falling).
/// Nothing where `text` is none.
std::optional<double> parse_duration(std::string_view text);

/// `seconds` as "90 s".
std::string duration_text(double seconds);

/// `text` with {{ $value }} and {{ $labels.NAME }} put in. Throws UserError naming `where` for other {{ ... }}.
std::string expand_annotation(std::string_view text, std::string_view value,
                              const std::vector<std::pair<std::string, std::string>>& labels, std::string_view where);

}  // namespace suanli::monitor
