#include "serve/alarm.h"

#include <ctime>

#include "base/log.h"
#include "serve/alert_sender.h"

namespace suanli::serve {

namespace {

std::vector<monitor::AlertRule> watched_rules(const std::filesystem::path& file, monitor::AlertHistory& history) {
  std::vector<monitor::AlertRule> rules = monitor::read_alert_rules(file);
  std::vector<std::string> names;
  for (const monitor::AlertRule& rule : rules) names.push_back(rule.name);
  history.watch(std::move(names));
  return rules;
}

}  // namespace

Alarm::Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics, monitor::AlertHistory& history)
    : options_(options),
      metrics_(metrics),
      history_(history),
      engine_(watched_rules(options.rules, history)),
      webhook_(options.webhook_url) {
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
