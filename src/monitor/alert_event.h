/// What an alert tells: events, their JSON, and the body of webhooks in Alertmanager's format.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "monitor/metrics_text.h"

namespace suanli::monitor {

struct AlertEvent {
  bool firing = true;     ///< else resolved
  bool repeated = false;  ///< told before and still firing
  std::string rule, severity;
  Labels labels;     ///< of the series, or those that the rule sums by
  double value = 0;  ///< that the rule compares; of a surge its count or value
  double since = 0;  ///< seconds: when the condition began to hold
  double time = 0;   ///< seconds: of the observation
  std::string message;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> deliver;
};

/// {"time", "status": "firing"|"resolved", "repeated", "rule", "severity", "labels", "value", "since", "message",
/// "annotations"}; a value that is not finite is null.
Json to_json(const AlertEvent& event);

/// The labels by which receivers know an alert: alertname, severity and those of the series.
Labels alert_labels(const AlertEvent& event);

/// Prometheus' fingerprint of a set of labels: FNV-1a, 64 bits, over each name and value with 0xff behind.
uint64_t fingerprint(const Labels& labels);

/// `seconds` since 1970 as 2023-02-06T13:08:45.828Z (RFC 3339).
std::string rfc3339(double seconds);

/// The body that Alertmanager posts to a webhook (version "4"), for one or more events. The message stands as the
/// annotation `summary` unless the rule has its own. startsAt is `since`; endsAt of a firing alert is year 1.
Json webhook_body(const std::vector<AlertEvent>& events, const std::string& receiver);

/// Takes events somewhere: to the log, to a webhook.
using AlertDelivery = std::function<void(const std::vector<AlertEvent>&)>;

/// Gives each delivery, by its name, the events whose rules name it; one without such events is not called.
void deliver_alerts(const std::vector<AlertEvent>& events, const std::map<std::string, AlertDelivery>& deliveries);

}  // namespace suanli::monitor
