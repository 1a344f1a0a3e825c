/// Alert rules over the server's own metrics, every few seconds; what they say goes to the log and to a webhook.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "monitor/alerts.h"
#include "monitor/service_metrics.h"

namespace suanli::serve {

struct AlarmOptions {
  std::filesystem::path rules;
  std::string webhook_url;  ///< http://host[:port]/path; empty: the log alone
  std::chrono::milliseconds interval = std::chrono::seconds(5);
};

class Alarm {
 public:
  /// Throws UserError for rules or a URL that cannot be read.
  Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics);
  ~Alarm();

 private:
  void run();
  void post(const std::vector<monitor::AlertEvent>& events) const;

  AlarmOptions options_;
  const monitor::ServiceMetrics& metrics_;
  monitor::AlertEngine engine_;
  std::string host_, port_, path_;  ///< of the webhook
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace suanli::serve
