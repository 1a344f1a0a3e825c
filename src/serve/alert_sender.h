/// Takes alerts to the log and a webhook on a thread of its own, so that nobody waits for a receiver.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/webhook.h"

namespace suanli::serve {

/// One line of the log: "alert ..." or "alert resolved: ...".
void log_alerts(const std::vector<monitor::AlertEvent>& events);

class AlertSender {
 public:
  /// `webhook_url` as Webhook takes it.
  explicit AlertSender(const std::string& webhook_url);
  /// Sends what waits, then ends.
  ~AlertSender();
  AlertSender(const AlertSender&) = delete;
  AlertSender& operator=(const AlertSender&) = delete;

  /// Any thread; returns at once. Above 1000 events that wait for a slow receiver the oldest are lost, with a line in
  /// the log.
  void send(const std::vector<monitor::AlertEvent>& events);

 private:
  void run();
  Webhook webhook_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<monitor::AlertEvent> waiting_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace suanli::serve
