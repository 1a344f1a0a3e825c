#include <ctime>
#include <mutex>

#include "base/json_text.h"
#include "serve/fields.h"
#include "serve/openai.h"

namespace suanli::serve {

namespace {

constexpr int64_t kDefaultNewTokens = 256;

/// What a request asks for, whichever of the two routes it came by.
struct Order {
  WriterPointer model;
  bool chat = false, stream = false, with_usage = false;
  std::vector<infer::TokenIds> prompts;  ///< one a choice
  int64_t prompt_tokens = 0;             ///< each prompt once, however many choices it has
  GenerationConfig config;
};

/// The texts of one request, as they grow. Parts come from the model's thread, a refusal from the network's.
class Choices : public std::enable_shared_from_this<Choices> {
 public:
  Choices(ExchangePointer exchange, Order order)
      : exchange_(std::move(exchange)),
        order_(std::move(order)),
        created_(std::time(nullptr)),
        texts_(order_.prompts.size()),
        finish_(order_.prompts.size()),
        left_(order_.prompts.size()) {}

  void begin() {
    for (size_t i = 0; i < order_.prompts.size(); ++i) {
      Writing writing{.prompt = order_.prompts[i], .config = order_.config, .on_end = {}};
      writing.config.seed += i;
      writing.work.deadline = exchange_->request().deadline;
      writing.work.cancelled = exchange_->cancelled();
      writing.on_text = [self = shared_from_this(), i](std::string_view part) { self->take(i, part); };
      writing.on_end = [self = shared_from_this(), i](const infer::GenerationEnd& end) { self->end(i, end); };
      order_.model->write(std::move(writing));
    }
  }

 private:
  void take(size_t choice, std::string_view part) {
    const std::lock_guard lock(mutex_);
    if (!order_.stream) {
      texts_[choice] += part;
      return;
    }
    begin_stream();
    std::string event = head("chunk");
    append_choice(event, choice, part, nullptr);
    send(event + "]}");
  }

  void end(size_t choice, const infer::GenerationEnd& end) {
    const std::lock_guard lock(mutex_);
    new_tokens_ += end.new_tokens;
    if (end.ending != infer::Ending::done && !failure_) failure_ = ending_error(end.ending, end.message);
    finish_[choice] = end.finish == infer::Finish::length ? "length" : "stop";
    if (order_.stream && !failure_) {
      begin_stream();
      std::string event = head("chunk");
      append_choice(event, choice, "", finish_[choice]);
      send(event + "]}");
    }
    if (--left_ > 0) return;
    order_.stream&& streaming_ ? end_stream() : answer();
  }

  void answer() {
    if (failure_) return exchange_->answer(error_answer(openai_error, *failure_));
    std::string out = head("");
    for (size_t i = 0; i < texts_.size(); ++i) append_choice(out, i, texts_[i], finish_[i]);
    exchange_->answer({.body = out + "]," + usage() + "}"});
  }

  void begin_stream() {
    if (std::exchange(streaming_, true)) return;
    exchange_->begin({.body = "", .content_type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}}});
    if (!order_.chat) return;
    for (size_t i = 0; i < texts_.size(); ++i) {
      send(head("chunk") + R"({"index":)" + std::to_string(i) +
           R"(,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]})");
    }
  }

  void end_stream() {
    if (failure_) {
      send(openai_error(failure_->fault, failure_->what()).body);
    } else if (order_.with_usage) {
      send(head("chunk") + "]," + usage() + "}");
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->finish();
  }

  void send(const std::string& event) { exchange_->write("data: " + event + "\n\n"); }

  /// Up to the beginning of the list of choices.
  std::string head(const std::string& part) const {
    std::string out = order_.chat ? R"({"id":"chatcmpl-)" : R"({"id":"cmpl-)";
    out += exchange_->request().id + R"(","object":")";
    out += order_.chat ? (part.empty() ? "chat.completion" : "chat.completion.chunk") : "text_completion";
    out += R"(","created":)" + std::to_string(created_) + R"(,"model":")" + order_.model->name();
    return out + R"(","choices":[)";
  }

  /// `finish` null: more comes.
  void append_choice(std::string& out, size_t index, std::string_view text, const char* finish) const {
    if (out.back() != '[') out += ',';
    out += R"({"index":)" + std::to_string(index);
    const char* key = !order_.chat ? ",\"text\":" : order_.stream ? ",\"delta\":" : ",\"message\":";
    out += key;
    if (order_.chat && order_.stream && finish != nullptr) {
      out += "{}";
    } else {
      if (order_.chat) out += order_.stream ? "{\"content\":" : "{\"role\":\"assistant\",\"content\":";
      append_string(out, text);
      if (order_.chat) out += '}';
    }
    out += ",\"logprobs\":null,\"finish_reason\":";
    out += finish == nullptr ? "null}" : "\"" + std::string(finish) + "\"}";
  }

  std::string usage() const {
    return R"("usage":{"prompt_tokens":)" + std::to_string(order_.prompt_tokens) + R"(,"completion_tokens":)" +
           std::to_string(new_tokens_) + R"(,"total_tokens":)" + std::to_string(order_.prompt_tokens + new_tokens_) +
           "}";
  }

  ExchangePointer exchange_;
  Order order_;
  int64_t created_;
  std::mutex mutex_;
  std::vector<std::string> texts_;
  std::vector<const char*> finish_;
  size_t left_;
  int64_t new_tokens_ = 0;
  bool streaming_ = false;
  std::optional<RequestError> failure_;
};

/// What OpenAI's clients may send and this server cannot honour is refused, not ignored.
void refuse_others(const Json& body) {
  for (const char* key : {"suffix", "logit_bias", "tools", "functions", "audio", "modalities"}) {
    if (field(body, key) != nullptr) wrong_field(key, "nothing: it is not supported");
  }
  for (const char* key : {"presence_penalty", "frequency_penalty"}) number_field(body, key, 0, 0, 0);
  const Json* logprobs = field(body, "logprobs");
  if (logprobs != nullptr && *logprobs != false && *logprobs != 0) wrong_field("logprobs", "none: it is not supported");
  if (bool_field(body, "echo", false)) wrong_field("echo", "false");
  integer_field(body, "best_of", 1, 1, 1);
  const Json* format = field(body, "response_format");
  if (format != nullptr && (!format->is_object() || string_field(*format, "type", "") != "text")) {
    wrong_field("response_format", "{\"type\": \"text\"}");
  }
}

/// OpenAI's names and defaults, and those of GenerationConfig that vLLM's clients send.
void read_config(const Json& body, const Limits& limits, GenerationConfig& config) {
  const char* key = field(body, "max_completion_tokens") != nullptr ? "max_completion_tokens" : "max_tokens";
  config.max_new_tokens = integer_field(body, key, kDefaultNewTokens, 1, limits.new_tokens);
  config.num_beams = 1;
  const double temperature = number_field(body, "temperature", 1, 0, 2);
  config.do_sample = temperature > 0;
  if (config.do_sample) config.temperature = temperature;
  config.top_p = number_field(body, "top_p", 1, 0, 1);
  config.top_k = integer_field(body, "top_k", 0, 0, INT32_MAX);
  config.min_p = number_field(body, "min_p", 0, 0, 1);
  config.repetition_penalty = number_field(body, "repetition_penalty", config.repetition_penalty, 0.01, 100);
  config.seed = static_cast<uint64_t>(
      integer_field(body, "seed", infer::Clock::now().time_since_epoch().count() & INT32_MAX, INT64_MIN, INT64_MAX));
  if (const Json* stop = field(body, "stop")) {
    const Json list = stop->is_array() ? *stop : Json::array({*stop});
    if (list.size() > 4) wrong_field("stop", "at most 4 texts");
    for (const Json& text : list) {
      if (!text.is_string() || text.get_ref<const std::string&>().empty()) wrong_field("stop", "texts");
      config.stop_strings.push_back(text.get<std::string>());
    }
  }
}

std::vector<ChatMessage> read_messages(const Json& body) {
  const Json* messages = field(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) wrong_field("messages", "a list of messages");
  std::vector<ChatMessage> out;
  for (const Json& message : *messages) {
    if (!message.is_object()) wrong_field("messages", "objects of role and content");
    ChatMessage one{.role = string_field(message, "role", ""), .content = {}};
    const Json* content = field(message, "content");
    if (one.role.empty() || content == nullptr) wrong_field("messages", "objects of role and content");
    if (content->is_string()) {
      one.content = content->get<std::string>();
    } else {
      if (!content->is_array()) wrong_field("content", "a text, or parts of text");
      for (const Json& part : *content) {
        if (!part.is_object() || string_field(part, "type", "") != "text")
          wrong_field("content", "parts of text alone");
        one.content += string_field(part, "text", "");
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

void write(const Service& service, const ExchangePointer& exchange, bool chat) {
  const Json body = read_body(exchange->request());
  Order order{.model = service.models.writer(openai_model(service, body)), .chat = chat, .prompts = {}, .config = {}};
  exchange->counts_for(order.model->name());
  refuse_others(body);
  order.config = order.model->defaults();
  read_config(body, service.limits, order.config);
  order.stream = bool_field(body, "stream", false);
  if (const Json* options = field(body, "stream_options"); options != nullptr && options->is_object()) {
    order.with_usage = bool_field(*options, "include_usage", false);
  }
  std::vector<infer::TokenIds> prompts;
  if (chat) {
    prompts.push_back(order.model->chat_prompt(read_messages(body)));
  } else {
    bool single = false;
    for (const Input& input : inputs_of(body, "prompt", single)) {
      prompts.push_back(input.ids.empty() ? order.model->tokenizer().encode(input.text).ids : input.ids);
    }
  }
  const auto count = static_cast<size_t>(integer_field(body, "n", 1, 1, service.limits.choices));
  if (prompts.empty() || prompts.size() * count > service.limits.items_per_request) {
    wrong_field("prompt", "1 to " + std::to_string(service.limits.items_per_request) + " texts in all");
  }
  for (const infer::TokenIds& prompt : prompts) {
    if (prompt.empty()) wrong_field("prompt", "a text with tokens");
    order.prompts.insert(order.prompts.end(), count, prompt);
    order.prompt_tokens += static_cast<int64_t>(prompt.size());
  }
  std::make_shared<Choices>(exchange, std::move(order))->begin();
}

}  // namespace

void add_completion_routes(Router& router, const Service& service) {
  const auto add = [&](const char* pattern, bool chat) {
    router.add({.method = "POST",
                .pattern = pattern,
                .scope = Scope::infer,
                .handler = [service, chat](const ExchangePointer& exchange) { write(service, exchange, chat); },
                .error = openai_error});
  };
  add("/v1/completions", false);
  add("/v1/chat/completions", true);
}

}  // namespace suanli::serve
