/// The HTTP of the sentiment watch, over any model that says how negative texts are.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "apps/ask.h"
#include "apps/sentiment_watch.h"
#include "serve/alert_sender.h"
#include "serve/openapi.h"

namespace suanli::apps {

/// How negative each text is, 0..1.
using AskNegative = Ask<std::vector<std::string>, std::vector<double>>;

/// The score of `negative_label` by the classifier of this name. Throws UserError where it has no such label.
AskNegative served_negative_scores(const serve::Service& service, const std::string& model,
                                   const std::string& negative_label);

/// A watch that moves on with the clock while no messages come, and sends its alerts.
class SentimentService {
 public:
  SentimentService(const SentimentOptions& options, const std::string& webhook_url, AskNegative ask);
  ~SentimentService();
  SentimentService(const SentimentService&) = delete;
  SentimentService& operator=(const SentimentService&) = delete;

  /// {"messages": [{"text", "time"?, "id"?}]}
  void take_messages(const serve::ExchangePointer& exchange, size_t most);
  const SentimentWatch& watch() const { return watch_; }

 private:
  void run();
  double threshold_;
  SentimentWatch watch_;
  serve::AlertSender sender_;
  AskNegative ask_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  std::chrono::steady_clock::time_point last_message_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

/// POST /v1/sentiment/messages, GET /v1/sentiment/topics and /v1/sentiment/alerts. `most`: messages of one request.
void add_sentiment_routes(serve::Router& router, const std::shared_ptr<SentimentService>& service, size_t most);

/// What the page of OpenAPI says of them.
std::vector<serve::ApplicationRoute> sentiment_openapi(size_t most);

}  // namespace suanli::apps
