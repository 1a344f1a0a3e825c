/// Runs alert rules over recorded metrics, and compares the events with those that were expected: tests of rules.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "monitor/alerts.h"

namespace suanli::monitor {

/// The events of the rules over a file of JSON lines, {"time": seconds, "metrics": "text format"} or {"time": seconds,
/// "samples": [{"name", "labels": {}, "value"}]}; times rise; "NaN", "+Inf" and "-Inf" stand for such values. A file of
/// at most 256 MiB. Throws UserError with the line.
std::vector<AlertEvent> replay_alerts(std::vector<AlertRule> rules, const std::filesystem::path& file);

/// How events differ from the JSON lines of a file, one sentence a difference; empty where they do not. The events are
/// the same number in the same order; each line names the keys that count, as to_json(AlertEvent) writes them; numbers
/// agree within 1e-9 of their size. Throws UserError with the line.
std::vector<std::string> compare_events(const std::vector<AlertEvent>& events, const std::filesystem::path& expected);

}  // namespace suanli::monitor
