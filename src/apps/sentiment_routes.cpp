#include "apps/sentiment_routes.h"

#include "base/error.h"
#include "infer/predictions.h"
#include "models/config.h"
#include "serve/fields.h"

namespace suanli::apps {

namespace {

using serve::ExchangePointer;

constexpr double kFuture = 60;  // seconds that a sender's clock may be ahead of ours
constexpr size_t kShown = 100;  // topics and alerts of one answer

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<SentimentMessage> read_messages(const Json& body, size_t most) {
  const Json* list = serve::field(body, "messages");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > most) {
    serve::wrong_field("messages", "a list of 1 to " + std::to_string(most) + " messages");
  }
  std::vector<SentimentMessage> out;
  const double now = seconds_since_1970();
  for (const Json& one : *list) {
    if (!one.is_object()) serve::wrong_field("messages", "objects");
    SentimentMessage message{.time = serve::number_field(one, "time", now, 0, now + kFuture),
                             .text = serve::string_field(one, "text", ""),
                             .id = serve::string_field(one, "id", "")};
    if (message.text.find_first_not_of(" \t\r\n") == std::string::npos) serve::wrong_field("text", "a text");
    if (message.id.size() > 128) serve::wrong_field("id", "at most 128 bytes");
    out.push_back(std::move(message));
  }
  return out;
}

Json counts_json(const SentimentCounts& counts) {
  return {{"messages", counts.messages},
          {"negative", counts.negative},
          {"without_topic", counts.without_topic},
          {"late", counts.late},
          {"forgotten_topics", counts.forgotten_topics}};
}

}  // namespace

AskNegative served_negative_scores(const serve::Service& service, const std::string& model,
                                   const std::string& negative_label) {
  const auto& labels = service.models.get(model)->config().labels;
  const auto found = std::ranges::find(labels, negative_label);
  if (found == labels.end()) {
    std::string names;
    for (const std::string& label : labels) names += (names.empty() ? "" : ", ") + label;
    throw UserError("negative_label", "expected a label of the model (" + names + "), got \"" + negative_label + "\"");
  }
  return [service, model, place = found - labels.begin()](const OnBehalf& behalf, std::vector<std::string> texts,
                                                          auto then, const OnError& fail) {
    std::vector<serve::Input> inputs;
    for (std::string& text : texts) inputs.push_back({.text = std::move(text)});
    ask_served(
        service, model, behalf, std::move(inputs),
        [then, place](const serve::Answers& answers, const serve::ServedModel& served) {
          std::vector<double> out;
          for (const auto& row : answers.rows) {
            out.push_back(infer::label_scores(served.config(), row)[static_cast<size_t>(place)]);
          }
          then(std::move(out));
        },
        fail);
  };
}

SentimentService::SentimentService(const SentimentOptions& options, const std::string& webhook_url, AskNegative ask)
    : threshold_(options.negative_threshold), watch_(options), sender_(webhook_url), ask_(std::move(ask)) {
  thread_ = std::thread([this] { run(); });
}

SentimentService::~SentimentService() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

/// While nothing comes, the time of the stream goes on with the clock.
void SentimentService::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return ends_; })) {
    sender_.send(watch_.pass(std::chrono::duration<double>(std::chrono::steady_clock::now() - last_message_).count()));
  }
}

void SentimentService::take_messages(const ExchangePointer& exchange, size_t most) {
  std::vector<SentimentMessage> messages = read_messages(serve::read_body(exchange->request()), most);
  std::vector<std::string> texts;
  for (const SentimentMessage& message : messages) texts.push_back(message.text);
  ask_(
      on_behalf_of(*exchange), std::move(texts),
      [this, exchange, messages = std::move(messages)](const std::vector<double>& negative) mutable {
        const std::lock_guard lock(mutex_);  // the clock does not move on within a batch
        last_message_ = std::chrono::steady_clock::now();
        Json results = Json::array();
        for (size_t i = 0; i < messages.size(); ++i) {
          messages[i].negative = negative[i];
          const auto taken = watch_.add(std::move(messages[i]));
          sender_.send(taken.events);
          results.push_back({{"score", negative[i]}, {"negative", negative[i] >= threshold_}, {"late", taken.late}});
        }
        exchange->answer({.body = Json({{"results", results}}).dump()});
      },
      error_to(exchange));
}

void add_sentiment_routes(serve::Router& router, const std::shared_ptr<SentimentService>& service, size_t most) {
  router.add({.method = "POST",
              .pattern = "/v1/sentiment/messages",
              .scope = serve::Scope::infer,
              .handler = [service, most](const ExchangePointer& exchange) { service->take_messages(exchange, most); }});
  router.add({.method = "GET",
              .pattern = "/v1/sentiment/topics",
              .scope = serve::Scope::infer,
              .handler = [service](const ExchangePointer& exchange) {
                const SentimentWatch& watch = service->watch();
                exchange->answer(
                    {.body = Json({{"topics", watch.topics(kShown)}, {"counts", counts_json(watch.counts())}}).dump()});
              }});
  router.add({.method = "GET",
              .pattern = "/v1/sentiment/alerts",
              .scope = serve::Scope::infer,
              .handler = [service](const ExchangePointer& exchange) {
                exchange->answer({.body = Json({{"alerts", service->watch().alerts(kShown)}}).dump()});
              }});
}

std::vector<serve::ApplicationRoute> sentiment_openapi(size_t most) {
  Json request = parse_json(R"({"type": "object", "required": ["messages"], "properties": {"messages": {
    "type": "array", "minItems": 1, "items": {"type": "object", "required": ["text"], "properties": {
      "text": {"type": "string", "minLength": 1}, "id": {"type": "string", "nullable": true, "maxLength": 128},
      "time": {"type": "number", "nullable": true, "minimum": 0,
               "description": "seconds since 1970, at most a minute ahead; now where it is missing"}}}}}})",
                            "openapi");
  request["properties"]["messages"]["maxItems"] = most;
  const Json results = parse_json(R"({"type": "object", "required": ["results"], "properties": {"results": {
    "type": "array", "items": {"type": "object", "required": ["score", "negative", "late"], "properties": {
      "score": {"type": "number"}, "negative": {"type": "boolean"}, "late": {"type": "boolean"}}}}}})",
                                  "openapi");
  const Json topics = parse_json(R"({"type": "object", "required": ["topics", "counts"], "properties": {
    "topics": {"type": "array", "items": {"type": "object",
      "required": ["topic", "messages", "negative", "firing", "last"], "properties": {
        "topic": {"type": "string"}, "messages": {"type": "integer"}, "negative": {"type": "integer"},
        "firing": {"type": "boolean"}, "last": {"type": "number"}}}},
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}}}})",
                                 "openapi");
  const Json alerts = parse_json(R"({"type": "object", "required": ["alerts"], "properties": {"alerts": {
    "type": "array", "items": {"type": "object", "required": ["status", "labels", "time", "message", "messages"],
      "properties": {
        "status": {"enum": ["firing", "resolved"]}, "labels": {"type": "object"}, "time": {"type": "number"},
        "message": {"type": "string"}, "messages": {"type": "array", "items": {"type": "object"}}}}}}})",
                                 "openapi");
  return {{"post", "/v1/sentiment/messages", "Scores messages and counts them by topic", request, results},
          {"get", "/v1/sentiment/topics", "What is talked about, most negative first", Json(), topics},
          {"get", "/v1/sentiment/alerts", "Alerts, newest first, with the messages behind them", Json(), alerts}};
}

}  // namespace suanli::apps
