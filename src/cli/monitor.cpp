#include <cstdio>

#include "base/error.h"
#include "cli/monitor_live.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "monitor/alert_replay.h"

namespace suanli::cli {

namespace {

constexpr const char* kMonitorUsage =
    "suanli monitor http://HOST:PORT [--api_key_file FILE]\n"
    "       suanli monitor --rules RULES.yaml --replay METRICS.jsonl [--expect EVENTS.jsonl]";

const OptionTable& monitor_options() {
  static const OptionTable table([] {
    std::vector<Option> all = {
        {.name = "rules", .type = OptionType::path, .help = "alert rules in YAML"},
        {.name = "replay",
         .type = OptionType::path,
         .help =
             "recorded metrics, JSON lines with time and metrics, that the rules are run over; prints the events, one "
             "JSON line each"},
        {.name = "expect",
         .type = OptionType::path,
         .help = "the events that must come, as JSON lines with the keys that count; exit code 3 where others come"},
    };
    for (Option& option : live_options()) all.push_back(std::move(option));
    return all;
  }());
  return table;
}

int replay(const Config& config) {
  const auto events =
      monitor::replay_alerts(monitor::read_alert_rules(config.get_string("rules")), config.get_string("replay"));
  for (const monitor::AlertEvent& event : events) std::printf("%s\n", monitor::to_json(event).dump().c_str());
  if (!config.is_set("expect")) return 0;
  const auto differences = monitor::compare_events(events, config.get_string("expect"));
  for (const std::string& difference : differences) std::fprintf(stderr, "%s\n", difference.c_str());
  return differences.empty() ? 0 : 3;
}

}  // namespace

int monitor(Arguments arguments) {
  if (print_help(arguments, kMonitorUsage, monitor_options())) return 0;
  Config config(monitor_options());
  const auto words = config.read_arguments(arguments);
  if (words.size() == 1 && !config.is_set("replay")) return watch_service(words.front(), config);
  if (!words.empty() || !config.is_set("replay")) {
    throw UserError("monitor", std::string("expected the address of a server, or --replay FILE:\n") + kMonitorUsage);
  }
  return replay(config);
}

}  // namespace suanli::cli
