#include "monitor/alert_event.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/concat.h"

namespace suanli::monitor {
namespace {

Json object_of(const Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels) object[name] = value;
  return object;
}

Json annotations_of(const AlertEvent& event) {
  Json annotations = event.annotations;
  annotations.emplace("summary", event.message);
  return annotations;
}

const char* status_of(bool firing) { return firing ? "firing" : "resolved"; }

Json webhook_alert(const AlertEvent& event) {
  const Labels labels = alert_labels(event);
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(fingerprint(labels)));
  return {{"status", status_of(event.firing)},
          {"labels", object_of(labels)},
          {"annotations", annotations_of(event)},
          {"startsAt", rfc3339(event.since)},
          {"endsAt", event.firing ? "0001-01-01T00:00:00Z" : rfc3339(event.time)},
          {"generatorURL", ""},
          {"fingerprint", digits}};
}

/// Keeps of `common` what `other` holds, too.
void keep_common(Json* common, const Json& other) {
  for (auto at = common->begin(); at != common->end();) {
    const auto same = other.find(at.key());
    at = same != other.end() && *same == *at ? std::next(at) : common->erase(at);
  }
}

}  // namespace

Json to_json(const AlertEvent& event) {
  return {{"time", event.time},         {"status", status_of(event.firing)},
          {"repeated", event.repeated}, {"rule", event.rule},
          {"severity", event.severity}, {"labels", object_of(event.labels)},
          {"since", event.since},       {"value", std::isfinite(event.value) ? Json(event.value) : Json()},
          {"message", event.message},   {"annotations", event.annotations}};
}

Labels alert_labels(const AlertEvent& event) {
  Labels labels = {{"alertname", event.rule}, {"severity", event.severity}};
  for (const auto& label : event.labels) {
    if (label.first != "alertname" && label.first != "severity") labels.push_back(label);
  }
  std::ranges::sort(labels);
  return labels;
}

uint64_t fingerprint(const Labels& labels) {
  uint64_t hash = 14695981039346656037u;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  };
  for (const auto& [name, value] : labels) {
    add(name);
    add("\xff");
    add(value);
    add("\xff");
  }
  return hash;
}

std::string rfc3339(double seconds) {
  const double milliseconds = std::floor(std::clamp(seconds, 0.0, 253402300799.0) * 1000 + 0.5);
  const auto whole = static_cast<time_t>(milliseconds / 1000);
  const auto rest = static_cast<int>(milliseconds - static_cast<double>(whole) * 1000);
  tm utc = {};
  char day[40], text[48];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", gmtime_r(&whole, &utc));
  std::snprintf(text, sizeof text, "%s.%03dZ", day, rest);
  return text;
}

Json webhook_body(const std::vector<AlertEvent>& events, const std::string& receiver) {
  Json alerts = Json::array();
  Json labels, annotations;
  bool firing = false;
  for (const AlertEvent& event : events) {
    alerts.push_back(webhook_alert(event));
    const Json& alert = alerts.back();
    firing = firing || event.firing;
    if (alerts.size() == 1) {
      labels = alert["labels"];
      annotations = alert["annotations"];
    }
    keep_common(&labels, alert["labels"]);
    keep_common(&annotations, alert["annotations"]);
  }
  Json group = Json::object();
  if (labels.contains("alertname")) group["alertname"] = labels["alertname"];
  const std::string key = group.empty() ? "" : concat("alertname=", group["alertname"].dump());
  return {{"version", "4"},         {"groupKey", concat("{}:{", key, "}")},
          {"truncatedAlerts", 0},   {"status", status_of(firing)},
          {"receiver", receiver},   {"groupLabels", group},
          {"commonLabels", labels}, {"commonAnnotations", annotations},
          {"externalURL", ""},      {"alerts", alerts}};
}

void deliver_alerts(const std::vector<AlertEvent>& events, const std::map<std::string, AlertDelivery>& deliveries) {
  for (const auto& [name, delivery] : deliveries) {
    std::vector<AlertEvent> own;
    std::ranges::copy_if(events, std::back_inserter(own), [&own_name = name](const AlertEvent& event) {
      return std::ranges::find(event.deliver, own_name) != event.deliver.end();
    });
    if (!own.empty()) delivery(own);
  }
}

}  // namespace suanli::monitor
