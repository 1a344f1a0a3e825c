/// Alert rules over the server's own metrics, every few seconds; what they say goes to the log and to a webhook.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "monitor/alert_history.h"
#include "monitor/alerts.h"
#include "monitor/service_metrics.h"
#include "serve/webhook.h"

namespace suanli::serve {

struct AlarmOptions {
  std::filesystem::path rules;
  std::string webhook_url;  ///< http://host[:port]/path; empty: the log alone
  std::chrono::milliseconds interval = std::chrono::seconds(5);
};

class Alarm {
 public:
  /// Throws UserError for rules or a URL that cannot be read. What it says goes to `history`, too.
  Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics, monitor::AlertHistory& history);
  ~Alarm();

 private:
  void run();

  AlarmOptions options_;
  const monitor::ServiceMetrics& metrics_;
  monitor::AlertHistory& history_;
  monitor::AlertEngine engine_;
  Webhook webhook_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace suanli::serve
