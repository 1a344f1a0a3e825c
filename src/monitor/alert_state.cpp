#include <cmath>

#include "base/error.h"
#include "monitor/alert_watch.h"

namespace suanli::monitor {
namespace {

constexpr const char* kState = "alert state";

Json labels_object(const Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels) object[name] = value;
  return object;
}

Labels read_labels(const Json& alert) {
  const auto object = alert.find("labels");
  if (object == alert.end() || !object->is_object()) throw UserError(kState, "expected the labels of each alert");
  Labels labels;
  for (const auto& [name, value] : object->items())
    labels.emplace_back(name, json_get<std::string>(*object, name, kState));
  return labels;
}

}  // namespace

Json WatchedRule::state() const {
  Json all = Json::array();
  for (const auto& [labels, alert] : alerts_) {
    Json entry = {{"labels", labels_object(labels)},
                  {"firing", alert.firing},
                  {"sent", alert.sent},
                  {"seen", alert.seen},
                  {"value", alert.value},
                  {"expected", alert.expected}};
    if (alert.since) entry["since"] = *alert.since;
    if (alert.false_since) entry["false_since"] = *alert.false_since;
    if (alert.detector) entry["surge"] = alert.detector->state();
    all.push_back(std::move(entry));
  }
  return all;
}

void WatchedRule::restore(const Json& alerts) {
  if (!alerts.is_array()) throw UserError(kState, "expected a list of alerts for each rule");
  for (const Json& entry : alerts) {
    Alert alert;
    alert.firing = json_get<bool>(entry, "firing", kState);
    alert.sent = json_get<double>(entry, "sent", kState);
    alert.seen = json_get<double>(entry, "seen", kState);
    alert.value = json_get_or<double>(entry, "value", NAN, kState);
    alert.expected = json_get_or<double>(entry, "expected", NAN, kState);
    if (entry.contains("since")) alert.since = json_get<double>(entry, "since", kState);
    if (entry.contains("false_since")) alert.false_since = json_get<double>(entry, "false_since", kState);
    if (rule_.surge && entry.contains("surge")) {
      alert.detector = make_surge_detector(*rule_.surge);
      alert.detector->restore(entry["surge"]);
    }
    alerts_[read_labels(entry)] = std::move(alert);
  }
}

}  // namespace suanli::monitor
