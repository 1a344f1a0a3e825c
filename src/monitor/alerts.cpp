#include "monitor/alerts.h"

#include <algorithm>

#include "base/error.h"
#include "monitor/alert_watch.h"

namespace suanli::monitor {

AlertEngine::AlertEngine(std::vector<AlertRule> rules) {
  for (AlertRule& rule : rules) rules_.emplace_back(std::move(rule));
}

AlertEngine::~AlertEngine() = default;
AlertEngine::AlertEngine(AlertEngine&&) noexcept = default;
AlertEngine& AlertEngine::operator=(AlertEngine&&) noexcept = default;

std::vector<AlertEvent> AlertEngine::observe(double time, const std::vector<MetricSample>& samples) {
  if (time_) time = std::max(time, *time_);
  std::vector<AlertEvent> events;
  for (WatchedRule& rule : rules_) rule.observe(time, time_, samples, events);
  time_ = time;
  return events;
}

size_t AlertEngine::firing() const {
  size_t count = 0;
  for (const WatchedRule& rule : rules_) count += rule.firing();
  return count;
}

int64_t AlertEngine::ignored() const {
  int64_t count = 0;
  for (const WatchedRule& rule : rules_) count += rule.ignored();
  return count;
}

Json AlertEngine::state() const {
  Json rules = Json::object();
  for (const WatchedRule& rule : rules_) rules[rule.name()] = rule.state();
  return {{"version", 1}, {"rules", rules}};
}

void AlertEngine::restore(const Json& state) {
  if (json_get<int64_t>(state, "version", "alert state") != 1 || !state.contains("rules")) {
    throw UserError("alert state", "expected {\"version\": 1, \"rules\": ...}; start without the old state");
  }
  for (WatchedRule& rule : rules_) {
    const auto alerts = state["rules"].find(rule.name());
    if (alerts != state["rules"].end()) rule.restore(*alerts);
  }
}

}  // namespace suanli::monitor
