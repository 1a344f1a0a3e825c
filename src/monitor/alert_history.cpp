#include "monitor/alert_history.h"

namespace suanli::monitor {

namespace {

constexpr size_t kMostRecent = 50;

}  // namespace

void AlertHistory::watch(std::vector<std::string> rules) {
  const std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
}

void AlertHistory::take(const std::vector<AlertEvent>& events) {
  const std::lock_guard lock(mutex_);
  for (const AlertEvent& event : events) {
    const uint64_t key = fingerprint(alert_labels(event));
    if (event.firing) {
      firing_[key] = event;
    } else {
      firing_.erase(key);
    }
    if (event.repeated) continue;
    recent_.push_front(event);
    if (recent_.size() > kMostRecent) recent_.pop_back();
  }
}

Json AlertHistory::json() const {
  const std::lock_guard lock(mutex_);
  Json firing = Json::array(), recent = Json::array();
  for (const auto& [key, event] : firing_) firing.push_back(to_json(event));
  for (const AlertEvent& event : recent_) recent.push_back(to_json(event));
  return {{"rules", rules_}, {"firing", firing}, {"recent", recent}};
}

void AlertHistory::set_metrics(ServiceMetrics& metrics) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, event] : firing_) {
    const auto labels = alert_labels(event);
    metrics.set("suanli_alert_firing", "1 while an alert fires", {labels.begin(), labels.end()}, 1);
  }
}

}  // namespace suanli::monitor
