#include "serve/alert_sender.h"

#include "base/log.h"

namespace suanli::serve {

namespace {

constexpr size_t kMostWaiting = 1000;

}  // namespace

void log_alerts(const std::vector<monitor::AlertEvent>& events) {
  for (const auto& event : events) {
    event.firing ? log_warning("alert " + event.message) : log_info("alert resolved: " + event.message);
  }
}

AlertSender::AlertSender(const std::string& webhook_url) : webhook_(webhook_url) {
  thread_ = std::thread([this] { run(); });
}

AlertSender::~AlertSender() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void AlertSender::send(const std::vector<monitor::AlertEvent>& events) {
  if (events.empty()) return;
  size_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), events.begin(), events.end());
    for (; waiting_.size() > kMostWaiting; ++lost) waiting_.pop_front();
  }
  if (lost > 0) log_error("alerts: " + std::to_string(lost) + " were lost: the webhook is too slow");
  wake_.notify_all();
}

void AlertSender::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::vector<monitor::AlertEvent> events(waiting_.begin(), waiting_.end());
    waiting_.clear();
    lock.unlock();
    log_alerts(events);
    if (webhook_.is_set()) webhook_.post(events);
    lock.lock();
  }
}

}  // namespace suanli::serve
