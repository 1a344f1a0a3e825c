#include "serve/webhook.h"

#include "base/log.h"

namespace suanli::serve {

namespace {

// A receiver that takes longer than this for an event loses it: the next one must not wait.
constexpr auto kWebhookTime = std::chrono::seconds(5);

}  // namespace

Webhook::Webhook(const std::string& url) {
  if (!url.empty()) url_ = read_url(url, "webhook_url");
}

void Webhook::post(const std::vector<monitor::AlertEvent>& events) const {
  const HttpQuestion question{.method = "POST",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = monitor::webhook_body(events, "webhook").dump(),
                              .patience = kWebhookTime};
  const HttpAnswer answer = ask_http(*url_, question);
  if (!answer.failure.empty()) return log_error("the webhook does not answer: " + answer.failure);
  if (answer.status >= 300) log_error("the webhook says " + std::to_string(answer.status));
}

}  // namespace suanli::serve
