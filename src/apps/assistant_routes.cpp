#include "apps/assistant_routes.h"

#include <atomic>
#include <chrono>

#include "base/log.h"
#include "infer/predictions.h"
#include "serve/embedding.h"
#include "serve/fields.h"

namespace suanli::apps {

namespace {

using serve::ExchangePointer;
using serve::Fault;
using serve::RequestError;

struct Conversation {
  Conversation(std::shared_ptr<const Assistant> decides, AssistantModels asked)
      : assistant(std::move(decides)),
        models(std::move(asked)),
        sessions(assistant->options().sessions, random_session_id) {}
  std::shared_ptr<const Assistant> assistant;
  AssistantModels models;
  Sessions sessions;
};

/// One message on its way: classified, embedded, perhaps ranked, answered.
struct Message {
  std::shared_ptr<Conversation> all;
  ExchangePointer exchange;
  OnBehalf behalf;
  std::string text, session;
  SessionState state;
  Intent intent = {};
};

using MessagePointer = std::shared_ptr<Message>;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Json reply_json(const Message& message, const Reply& reply) {
  Json said = {{"type", reply.row ? "answer" : "handover"}};
  if (reply.row) {
    const Answer& answer = message.all->assistant->answers()[*reply.row];
    said["text"] = answer.text;
    said["source"] = {{"question", answer.question}, {"url", answer.source.empty() ? Json() : Json(answer.source)}};
  } else {
    said["reason"] = name_of(reply.reason);
    said["text"] = "I pass you on to a person.";
  }
  const Json intent = {{"label", reply.intent.label},
                       {"score", reply.intent.score},
                       {"recognised", reply.intent.recognised},
                       {"from_context", reply.intent.from_context}};
  return {{"session", message.session},
          {"reply", said},
          {"intent", reply.intent.label.empty() ? Json() : intent},
          {"confidence", reply.confidence}};
}

void finish(const MessagePointer& message, const std::vector<Candidate>& candidates) {
  Conversation& all = *message->all;
  const Reply reply = all.assistant->decide(message->text, message->state, message->intent, candidates);
  all.sessions.remember(message->session, reply.intent.recognised ? reply.intent.label : "", reply.row);
  message->exchange->answer({.body = reply_json(*message, reply).dump()});
}

void rank(const MessagePointer& message, const std::string& query, std::vector<Candidate> candidates) {
  const Conversation& all = *message->all;
  if (!all.models.rank || candidates.empty() || candidates.front().by_intent) return finish(message, candidates);
  std::vector<std::string> documents;
  for (const Candidate& one : candidates) {
    const Answer& answer = all.assistant->answers()[one.row];
    documents.push_back(answer.question + " " + answer.text);
  }
  all.models.rank(
      message->behalf, {query, std::move(documents)},
      [message, candidates](const std::vector<double>& scores) mutable {
        for (size_t i = 0; i < candidates.size(); ++i) candidates[i].score = scores[i];
        std::ranges::stable_sort(candidates, std::greater{}, &Candidate::score);
        finish(message, candidates);
      },
      error_to(message->exchange));
}

void look_up(const MessagePointer& message) {
  const Conversation& all = *message->all;
  std::string query = all.assistant->query_of(message->text, message->state);
  all.models.embed(
      message->behalf, query,
      [message, query](const std::vector<float>& vector) {
        rank(message, query,
             message->all->assistant->candidates(vector, message->intent, message->text, message->state));
      },
      error_to(message->exchange));
}

void take_message(const std::shared_ptr<Conversation>& all, const ExchangePointer& exchange) {
  const Json body = serve::read_body(exchange->request());
  auto message = std::make_shared<Message>();
  message->all = all;
  message->exchange = exchange;
  message->behalf = on_behalf_of(*exchange);
  message->text = serve::string_field(body, "text", "");
  const size_t most = all->assistant->options().text_bytes;
  if (message->text.find_first_not_of(" \t\r\n") == std::string::npos) serve::wrong_field("text", "a text");
  if (message->text.size() > most) serve::wrong_field("text", "at most " + std::to_string(most) + " bytes");
  const std::string& client = exchange->request().client;
  message->session = serve::string_field(body, "session", "");
  if (message->session.empty()) message->session = all->sessions.begin(client, steady_seconds());
  const auto state = all->sessions.turn(message->session, client, steady_seconds());
  if (!state) {
    throw RequestError(Fault::not_found, "`session`: no such session, or it has ended; leave it out to begin another");
  }
  message->state = *state;
  if (asks_for_a_person(message->text)) return finish(message, {});
  if (!all->models.classify) return look_up(message);
  all->models.classify(
      message->behalf, message->text,
      [message](const std::vector<double>& scores) {
        message->intent = message->all->assistant->intent_of(scores, message->text, message->state.intent);
        look_up(message);
      },
      error_to(message->exchange));
}

/// Knows whether the encoder that is loaded is the one that the index was made with.
class EncoderGuard {
 public:
  EncoderGuard(int64_t version, std::function<bool()> check)
      : good_(version), asked_(version), check_(std::move(check)) {}

  /// `self`: this guard, kept until the background has answered.
  bool fits(const std::shared_ptr<EncoderGuard>& self, const serve::Service& service, const std::string& encoder) {
    const int64_t version = service.models.get(encoder)->version();
    if (version == good_) return true;
    if (asked_.exchange(version) == version) return false;
    service.models.in_background([self, version] {
      if (self->check_()) {
        self->good_ = version;
      } else {
        log_error("customer service: the encoder is another one than the answers were indexed with; start anew");
      }
    });
    return false;
  }

 private:
  std::atomic<int64_t> good_, asked_;
  std::function<bool()> check_;
};

}  // namespace

AssistantModels served_assistant_models(const serve::Service& service, const AssistantModelNames& names,
                                        std::function<bool()> encoder_fits) {
  AssistantModels out;
  auto guard = std::make_shared<EncoderGuard>(service.models.get(names.encoder)->version(), std::move(encoder_fits));
  out.embed = [service, guard, encoder = names.encoder](const OnBehalf& behalf, std::string text, auto then,
                                                        const OnError& fail) {
    try {
      if (!guard->fits(guard, service, encoder)) {
        return fail({Fault::unhealthy, "the encoder has been loaded anew and does not fit the answers yet", 1});
      }
    } catch (const RequestError& error) {
      return fail(error);
    }
    ask_served(
        service, encoder, behalf, {{.text = std::move(text)}},
        [then](const serve::Answers& answers, const serve::ServedModel&) {
          const std::vector<float>& row = answers.rows.front();
          then(serve::embedding_of(row, row.size(), true));
        },
        fail);
  };
  if (!names.intents.empty()) {
    out.classify = [service, intents = names.intents](const OnBehalf& behalf, std::string text, auto then,
                                                      const OnError& fail) {
      ask_served(
          service, intents, behalf, {{.text = std::move(text)}},
          [then](const serve::Answers& answers, const serve::ServedModel& model) {
            then(infer::label_scores(model.config(), answers.rows.front()));
          },
          fail);
    };
  }
  if (!names.ranker.empty()) {
    out.rank = [service, ranker = names.ranker](const OnBehalf& behalf, auto asked, auto then, const OnError& fail) {
      std::vector<serve::Input> inputs;
      for (std::string& document : asked.second) inputs.push_back({.text = asked.first, .pair = std::move(document)});
      ask_served(
          service, ranker, behalf, std::move(inputs),
          [then](const serve::Answers& answers, const serve::ServedModel& model) {
            std::vector<double> scores;
            for (const auto& row : answers.rows) scores.push_back(infer::label_scores(model.config(), row).back());
            then(std::move(scores));
          },
          fail);
    };
  }
  return out;
}

void add_assistant_routes(serve::Router& router, std::shared_ptr<const Assistant> assistant, AssistantModels models) {
  auto all = std::make_shared<Conversation>(std::move(assistant), std::move(models));
  router.add({.method = "POST",
              .pattern = "/v1/assistant/messages",
              .scope = serve::Scope::infer,
              .handler = [all](const ExchangePointer& exchange) { take_message(all, exchange); }});
}

std::vector<serve::ApplicationRoute> assistant_openapi(const AssistantOptions& options) {
  Json request = parse_json(R"({"type": "object", "required": ["text"], "properties": {
    "text": {"type": "string", "minLength": 1},
    "session": {"type": "string", "nullable": true, "description": "of an answer before; none: a new one"}}})",
                            "openapi");
  request["properties"]["text"]["maxLength"] = options.text_bytes;
  const Json answer = parse_json(R"({"type": "object", "required": ["session", "reply", "intent", "confidence"],
    "properties": {
      "session": {"type": "string"}, "confidence": {"type": "number"},
      "reply": {"type": "object", "required": ["type", "text"], "properties": {
        "type": {"enum": ["answer", "handover"]}, "text": {"type": "string"},
        "reason": {"enum": ["out_of_scope", "low_confidence", "asked_for_a_person", "too_many_turns"]},
        "source": {"type": "object", "required": ["question", "url"], "properties": {
          "question": {"type": "string"}, "url": {"type": "string", "nullable": true}}}}},
      "intent": {"type": "object", "nullable": true, "required": ["label", "score", "recognised", "from_context"],
        "properties": {"label": {"type": "string"}, "score": {"type": "number"}, "recognised": {"type": "boolean"},
                       "from_context": {"type": "boolean"}}}}})",
                                 "openapi");
  return {{"post", "/v1/assistant/messages", "An answer with its source, or a person", request, answer}};
}

}  // namespace suanli::apps
