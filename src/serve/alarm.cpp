#include "serve/alarm.h"

#include <ctime>

#include "base/log.h"
#include "serve/alert_sender.h"

namespace suanli::serve {

Alarm::Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics, monitor::AlertHistory& history)
    : options_(options),
      metrics_(metrics),
      history_(history),
      engine_(monitor::read_alert_rules(options.rules)),
      webhook_(options.webhook_url) {
  std::vector<std::string> names;
  for (const auto& rule : monitor::read_alert_rules(options.rules)) names.push_back(rule.name);
  history_.watch(std::move(names));
  thread_ = std::thread([this] { run(); });
}

Alarm::~Alarm() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Alarm::run() {
  std::map<std::string, monitor::AlertDelivery> deliveries;
  deliveries["log"] = log_alerts;
  if (webhook_.is_set()) deliveries["webhook"] = [this](const auto& events) { webhook_.post(events); };
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [&] { return ends_; })) {
    lock.unlock();
    try {
      const auto samples = monitor::parse_metrics_text(metrics_.text(), "metrics");
      const auto events = engine_.observe(static_cast<double>(std::time(nullptr)), samples);
      history_.take(events);
      monitor::deliver_alerts(events, deliveries);
    } catch (const std::exception& error) {
      log_error(std::string("alerts: ") + error.what());
    }
    lock.lock();
  }
}

}  // namespace suanli::serve
