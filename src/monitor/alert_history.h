/// Which alerts fire, and what came before: for whoever asks the service.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "monitor/alert_event.h"
#include "monitor/service_metrics.h"

namespace suanli::monitor {

/// Every function may be called from any thread.
class AlertHistory {
 public:
  /// The names of the rules that are watched; without it nobody watches.
  void watch(std::vector<std::string> rules);
  void take(const std::vector<AlertEvent>& events);

  /// {"rules": names, "firing": events, "recent": events that began or ended something, the newest first, at most 50}.
  Json json() const;
  /// suanli_alert_firing of each alert that fires.
  void set_metrics(ServiceMetrics& metrics) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> rules_;
  std::map<uint64_t, AlertEvent> firing_;  ///< by the fingerprint of their labels
  std::deque<AlertEvent> recent_;
};

}  // namespace suanli::monitor
