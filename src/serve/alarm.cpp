#include "serve/alarm.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <ctime>

#include "base/error.h"
#include "base/log.h"

namespace suanli::serve {

namespace {

// A receiver that takes longer than this for an event loses it: the next one must not wait.
constexpr auto kWebhookTime = std::chrono::seconds(5);

}  // namespace

Alarm::Alarm(const AlarmOptions& options, const monitor::ServiceMetrics& metrics)
    : options_(options), metrics_(metrics), engine_(monitor::read_alert_rules(options.rules)) {
  if (!options_.webhook_url.empty()) {
    constexpr std::string_view kScheme = "http://";
    const std::string& url = options_.webhook_url;
    const size_t slash = std::min(url.find('/', kScheme.size()), url.size());
    if (!url.starts_with(kScheme) || slash == kScheme.size()) {
      throw UserError("webhook_url", "expected http://host[:port]/path, got \"" + url + "\"");
    }
    const std::string place = url.substr(kScheme.size(), slash - kScheme.size());
    const size_t colon = place.rfind(':');
    host_ = place.substr(0, colon);
    port_ = colon == std::string::npos ? "80" : place.substr(colon + 1);
    path_ = slash < url.size() ? url.substr(slash) : "/";
  }
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
  if (!host_.empty()) deliveries["webhook"] = [this](const auto& events) { post(events); };
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [&] { return ends_; })) {
    lock.unlock();
    try {
      const auto samples = monitor::parse_metrics_text(metrics_.text(), "metrics");
      monitor::deliver_alerts(engine_.observe(static_cast<double>(std::time(nullptr)), samples), deliveries);
    } catch (const std::exception& error) {
      log_error(std::string("alerts: ") + error.what());
    }
    lock.lock();
  }
}

void Alarm::post(const std::vector<monitor::AlertEvent>& events) const {
  namespace beast = boost::beast;
  namespace http = beast::http;
  boost::asio::io_context context;
  beast::tcp_stream stream(context);
  http::request<http::string_body> request(http::verb::post, path_, 11);
  request.set(http::field::host, host_);
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = monitor::webhook_body(events, "webhook").dump();
  request.prepare_payload();
  beast::flat_buffer buffer(64 << 10);
  http::response<http::string_body> response;
  beast::error_code failure;
  const auto check = [&](beast::error_code error) { return !(failure = error); };
  boost::asio::ip::tcp::resolver resolver(context);
  const auto places = resolver.resolve(host_, port_, failure);
  if (!failure) {
    stream.expires_after(kWebhookTime);
    stream.async_connect(places, [&](beast::error_code error, const auto&) {
      if (!check(error)) return;
      http::async_write(stream, request, [&](beast::error_code written, size_t) {
        if (!check(written)) return;
        http::async_read(stream, buffer, response, [&](beast::error_code read, size_t) { check(read); });
      });
    });
    context.run();
  }
  if (failure) return log_error("the webhook does not answer: " + failure.message());
  if (response.result_int() >= 300) log_error("the webhook says " + std::to_string(response.result_int()));
}

}  // namespace suanli::serve
