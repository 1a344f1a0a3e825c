#include "serve/alarm.h"

#include <ctime>

#include "base/error.h"
#include "base/log.h"

namespace suanli::serve {

namespace {

// A receiver that takes longer than this for an event loses it: the next one must not wait.
constexpr auto kWebhookTime = std::chrono::seconds(5);

}  // namespace

Alarm::Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics, monitor::AlertHistory& history)
    : options_(options), metrics_(metrics), history_(history), engine_(monitor::read_alert_rules(options.rules)) {
  if (!options_.webhook_url.empty()) webhook_ = read_url(options_.webhook_url, "webhook_url");
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
  deliveries["log"] = [](const std::vector<monitor::AlertEvent>& events) {
    for (const auto& event : events) {
      event.firing ? log_warning("alert " + event.message) : log_info("alert resolved: " + event.message);
    }
  };
  if (webhook_) deliveries["webhook"] = [this](const auto& events) { post(events); };
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

void Alarm::post(const std::vector<monitor::AlertEvent>& events) const {
  const HttpQuestion question{.method = "POST",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = monitor::webhook_body(events, "webhook").dump(),
                              .patience = kWebhookTime};
  const HttpAnswer answer = ask_http(*webhook_, question);
  if (!answer.failure.empty()) return log_error("the webhook does not answer: " + answer.failure);
  if (answer.status >= 300) log_error("the webhook says " + std::to_string(answer.status));
}

}  // namespace suanli::serve
