#include <algorithm>
#include <cmath>

#include "base/json_text.h"
#include "infer/predictions.h"
#include "serve/ask.h"
#include "serve/embedding.h"
#include "serve/fields.h"
#include "serve/hub.h"
#include "serve/service.h"

namespace suanli::serve {

namespace {

/// {"error", "error_type"}, with the codes that text-embeddings-inference gives.
Response tei_error(Fault fault, std::string_view message) {
  struct Row {
    Fault fault;
    int status;
    const char* type;
  };
  constexpr Row kRows[] = {
      {Fault::invalid, 422, "Validation"}, {Fault::empty, 400, "Empty"},         {Fault::tokenizer, 422, "Validation"},
      {Fault::backend, 424, "Backend"},    {Fault::unhealthy, 503, "Unhealthy"}, {Fault::overloaded, 429, "Overloaded"},
  };
  const auto* row = std::ranges::find(kRows, fault, &Row::fault);
  Response response = plain_error(fault, message);
  response.body.pop_back();
  response.body += ",\"error_type\":";
  append_string(response.body, row == std::end(kRows) ? "Validation" : row->type);
  response.body += '}';
  if (row != std::end(kRows)) response.status = row->status;
  return response;
}

/// What an answer says of the work that it took.
struct Effort {
  explicit Effort(const Service& service, const ExchangePointer& exchange)
      : energy(service.energy), arrival(exchange->request().arrival) {}

  /// The headers that text-embeddings-inference gives, milliseconds and what was computed, and the energy where it is
  /// known.
  Response answer(std::string body, const Answers& answers) const {
    const auto milliseconds = [](int64_t nanoseconds) { return std::to_string(nanoseconds / 1'000'000); };
    const auto total = std::chrono::nanoseconds(infer::Clock::now() - arrival).count();
    Response out = {.body = std::move(body),
                    .headers = {{"x-compute-type", "cpu"},
                                {"x-compute-time", milliseconds(answers.tokenization_ns + answers.timing.compute_ns)},
                                {"x-compute-characters", std::to_string(answers.characters)},
                                {"x-compute-tokens", std::to_string(answers.tokens)},
                                {"x-total-time", milliseconds(total)},
                                {"x-tokenization-time", milliseconds(answers.tokenization_ns)},
                                {"x-queue-time", milliseconds(answers.timing.queue_ns)},
                                {"x-inference-time", milliseconds(answers.timing.compute_ns)}}};
    if (const auto joules = energy.request(answers.tokens)) {
      std::string text;
      append_number(text, static_cast<float>(*joules));
      out.headers.emplace_back("x-energy-joules", text);
    }
    return out;
  }

  ModelEnergy& energy;
  infer::Clock::time_point arrival;
};

ModelPointer model_of(const Service& service, const Json& body, ModelKind kind, const char* what) {
  ModelPointer model = service.models.get(string_field(body, "model", ""));
  if (model->kind() != kind) throw RequestError(Fault::backend, std::string("this model does not ") + what);
  return model;
}

void read_truncation(const Json& body, Question& question) {
  question.truncate = bool_field(body, "truncate", false);
  const std::string side = string_field(body, "truncation_direction", "Right");
  if (side != "Right" && side != "Left" && side != "right" && side != "left") {
    wrong_field("truncation_direction", "Left or Right");
  }
  question.truncation_side = side.front() == 'R' || side.front() == 'r' ? Side::right : Side::left;
}

/// Puts the prompt of that name before each text.
void add_prompt(const Json& body, const ServedModel& model, std::vector<Input>& inputs) {
  const Json* name = field(body, "prompt_name");
  if (name == nullptr) return;
  const auto prompt = name->is_string() ? model.prompts().find(name->get<std::string>()) : model.prompts().end();
  if (prompt == model.prompts().end()) wrong_field("prompt_name", "the name of a prompt that the model has");
  for (Input& input : inputs) input.text = prompt->second + input.text;
}

void embed(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = model_of(service, body, ModelKind::embedding, "embed texts");
  bool single = false;
  Question question{.inputs = inputs_of(body, "inputs", single), .output = infer::Output::embedding};
  read_truncation(body, question);
  add_prompt(body, *model, question.inputs);
  const bool normalize = bool_field(body, "normalize", true);
  const auto dimensions = static_cast<size_t>(
      integer_field(body, "dimensions", model->config().hidden_size, 1, model->config().hidden_size));
  ask(model, exchange, std::move(question), tei_error,
      [normalize, dimensions, effort = Effort(service, exchange)](const Answers& answers) {
        std::string out = "[";
        for (const auto& row : answers.rows) {
          if (out.size() > 1) out += ',';
          append_numbers(out, embedding_of(row, dimensions, normalize));
        }
        return effort.answer(out + "]", answers);
      });
}

void embed_all(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = model_of(service, body, ModelKind::embedding, "embed texts");
  bool single = false;
  Question question{.inputs = inputs_of(body, "inputs", single), .output = infer::Output::token_embeddings};
  read_truncation(body, question);
  add_prompt(body, *model, question.inputs);
  ask(model, exchange, std::move(question), tei_error,
      [width = static_cast<size_t>(model->config().hidden_size),
       effort = Effort(service, exchange)](const Answers& answers) {
        std::string out = "[";
        for (const auto& rows : answers.rows) {
          out += out.size() > 1 ? ",[" : "[";
          for (size_t t = 0; t < rows.size(); t += width) {
            if (t > 0) out += ',';
            append_numbers(out, std::span(rows).subspan(t, width));
          }
          out += ']';
        }
        return effort.answer(out + "]", answers);
      });
}

/// "text", ["text", "pair"] or a list of lists of one or two texts.
std::vector<Input> predict_inputs(const Json& body, bool& single) {
  constexpr const char* kWhat = "a text, a pair of texts, or a list of lists of one or two texts";
  const Json* inputs = field(body, "inputs");
  if (inputs == nullptr) wrong_field("inputs", kWhat);
  const auto one = [&](const Json& value) {
    if (value.is_string()) return Input{.text = value.get<std::string>()};
    if (!value.is_array() || value.empty() || value.size() > 2 || !value.front().is_string() ||
        !value.back().is_string()) {
      wrong_field("inputs", kWhat);
    }
    Input input{.text = value.front().get<std::string>()};
    if (value.size() == 2) input.pair = value.back().get<std::string>();
    return input;
  };
  single = inputs->is_string() || (inputs->is_array() && !inputs->empty() && inputs->front().is_string());
  if (single) return {one(*inputs)};
  if (!inputs->is_array()) wrong_field("inputs", kWhat);
  std::vector<Input> out;
  for (const Json& value : *inputs) out.push_back(one(value));
  return out;
}

void append_scores(std::string& out, const std::vector<std::pair<double, size_t>>& best,
                   const std::vector<std::string>& labels) {
  out += '[';
  for (const auto& [score, label] : best) {
    out += out.back() == '[' ? "{\"score\":" : ",{\"score\":";
    append_number(out, static_cast<float>(score));
    out += ",\"label\":";
    append_string(out, labels[label]);
    out += '}';
  }
  out += ']';
}

/// `nested`: the labels of a single text stand in a list of their own, as Hugging Face's clients expect.
void predict_texts(const Service& service, const ExchangePointer& exchange, bool nested) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = model_of(service, body, ModelKind::classification, "classify texts");
  bool single = false;
  Question question{.inputs = predict_inputs(body, single), .output = infer::Output::sequence_logits};
  single = single && !nested;
  read_truncation(body, question);
  const bool raw = bool_field(body, "raw_scores", false);
  ask(model, exchange, std::move(question), tei_error,
      [single, raw, model, &metrics = service.metrics, effort = Effort(service, exchange)](const Answers& answers) {
        std::string out = single ? "" : "[";
        for (const auto& row : answers.rows) {
          if (out.size() > 1) out += ',';
          std::vector<std::pair<double, size_t>> best;
          const std::vector<double> scores =
              raw ? std::vector<double>(row.begin(), row.end()) : infer::label_scores(model->config(), row);
          for (size_t i = 0; i < scores.size(); ++i) best.emplace_back(scores[i], i);
          std::ranges::stable_sort(best, std::greater{}, &std::pair<double, size_t>::first);
          metrics.prediction(model->name(), model->config().labels[best.front().second]);
          append_scores(out, best, model->config().labels);
        }
        return effort.answer(out + (single ? "" : "]"), answers);
      });
}

void predict(const Service& service, const ExchangePointer& exchange) { predict_texts(service, exchange, false); }

void rerank(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = model_of(service, body, ModelKind::classification, "rank texts");
  if (model->config().labels.size() != 1) throw RequestError(Fault::backend, "this model does not rank texts");
  const std::string query = string_field(body, "query", "");
  const bool jina = field(body, "texts") == nullptr;  // {"query", "documents", "top_n"}
  const Json* texts = field(body, jina ? "documents" : "texts");
  if (texts == nullptr || !texts->is_array()) wrong_field("texts", "a list of texts");
  Question question{.inputs = {}, .output = infer::Output::sequence_logits};
  for (const Json& text : *texts) {
    const Json& value = jina && text.is_object() ? text.value("text", Json()) : text;
    if (!value.is_string()) wrong_field(jina ? "documents" : "texts", "a list of texts");
    question.inputs.push_back({.text = query, .pair = value.get<std::string>()});
  }
  read_truncation(body, question);
  const bool raw = bool_field(body, "raw_scores", false);
  const bool with_text = bool_field(body, jina ? "return_documents" : "return_text", false);
  const auto count = static_cast<size_t>(integer_field(body, "top_n", INT32_MAX, 1, INT32_MAX));
  std::vector<std::string> kept;
  if (with_text) std::ranges::transform(question.inputs, std::back_inserter(kept), [](auto& i) { return *i.pair; });
  ask(model, exchange, std::move(question), tei_error, [=, effort = Effort(service, exchange)](const Answers& answers) {
    std::vector<std::pair<double, size_t>> best;
    for (size_t i = 0; i < answers.rows.size(); ++i) {
      const double logit = answers.rows[i].front();
      best.emplace_back(raw ? logit : 1 / (1 + std::exp(-logit)), i);
    }
    std::ranges::stable_sort(best, std::greater{}, &std::pair<double, size_t>::first);
    best.resize(std::min(best.size(), count));
    std::string out = jina ? "{\"model\":\"" + model->name() + "\",\"results\":[" : "[";
    for (const auto& [score, index] : best) {
      out += (out.back() == '[' ? "{\"index\":" : ",{\"index\":") + std::to_string(index);
      if (with_text) {
        out += jina ? ",\"document\":{\"text\":" : ",\"text\":";
        append_string(out, kept[index]);
        if (jina) out += '}';
      }
      out += jina ? ",\"relevance_score\":" : ",\"score\":";
      append_number(out, static_cast<float>(score));
      out += '}';
    }
    return effort.answer(out + (jina ? "]}" : "]"), answers);
  });
}

void similarity(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = model_of(service, body, ModelKind::embedding, "embed texts");
  const Json* inputs = field(body, "inputs");
  if (inputs == nullptr || !inputs->is_object()) wrong_field("inputs", "an object of source_sentence and sentences");
  Question question{.inputs = {{.text = string_field(*inputs, "source_sentence", "")}},
                    .output = infer::Output::embedding};
  bool single = false;
  for (Input& input : inputs_of(*inputs, "sentences", single)) question.inputs.push_back(std::move(input));
  const Json* parameters = field(body, "parameters");
  const Json none = Json::object();
  read_truncation(parameters != nullptr && parameters->is_object() ? *parameters : none, question);
  ask(model, exchange, std::move(question), tei_error, [effort = Effort(service, exchange)](const Answers& answers) {
    std::vector<float> cosines;
    const auto source = embedding_of(answers.rows.front(), answers.rows.front().size(), true);
    for (const auto& row : std::span(answers.rows).subspan(1)) {
      const auto other = embedding_of(row, row.size(), true);
      double sum = 0;
      for (size_t h = 0; h < other.size(); ++h) sum += static_cast<double>(source[h]) * other[h];
      cosines.push_back(static_cast<float>(sum));
    }
    std::string out;
    append_numbers(out, cosines);
    return effort.answer(out, answers);
  });
}

/// Of what is answered without a model's queue, which would count them.
std::vector<Input> counted_inputs(const Service& service, const Json& body, const char* key) {
  bool single = false;
  std::vector<Input> inputs = inputs_of(body, key, single);
  const size_t most = service.limits.items_per_request;
  if (inputs.size() > most)
    wrong_field(key, "at most " + std::to_string(most) + ", got " + std::to_string(inputs.size()));
  return inputs;
}

void tokenize(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const auto model = service.models.any(string_field(body, "model", ""));
  exchange->counts_for(model->name());
  std::vector<Input> inputs = counted_inputs(service, body, "inputs");
  if (const auto* served = dynamic_cast<const ServedModel*>(model.get())) add_prompt(body, *served, inputs);
  const EncodeOptions options{.add_special_tokens = bool_field(body, "add_special_tokens", true)};
  const Tokenizer& tokenizer = model->tokenizer();
  std::string out = "[";
  for (const Input& input : inputs) {
    const Encoding encoding = tokenizer.encode(input.text, options);
    out += out.size() > 1 ? ",[" : "[";
    for (size_t t = 0; t < encoding.size(); ++t) {
      const bool special = encoding.special[t] != 0;
      out += (t > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(encoding.ids[t]) + ",\"text\":";
      append_string(out, tokenizer.token_of(encoding.ids[t]));
      out += special ? ",\"special\":true,\"start\":null,\"stop\":null}"
                     : ",\"special\":false,\"start\":" + std::to_string(encoding.offsets[t].first) +
                           ",\"stop\":" + std::to_string(encoding.offsets[t].second) + "}";
    }
    out += ']';
  }
  exchange->answer({.body = out + "]"});
}

void decode(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const auto model = service.models.any(string_field(body, "model", ""));
  exchange->counts_for(model->name());
  const std::vector<Input> inputs = counted_inputs(service, body, "ids");
  const bool skip = bool_field(body, "skip_special_tokens", true);
  std::string out = "[";
  for (const Input& input : inputs) {
    if (!input.text.empty()) wrong_field("ids", "token ids");
    if (out.size() > 1) out += ',';
    append_string(out, model->tokenizer().decode(input.ids, skip));
  }
  exchange->answer({.body = out + "]"});
}

void info(const Service& service, const ExchangePointer& exchange) {
  const auto all = service.models.loaded();
  if (all.empty()) throw RequestError(Fault::unhealthy, "no model is ready");
  const ModelPointer model = service.models.get(all.front()->name());
  Json type;
  if (model->kind() == ModelKind::embedding) {
    type["embedding"]["pooling"] = model->model().pooling.mean ? "mean" : "cls";
  } else {
    const auto& labels = model->config().labels;
    Json names = {{"id2label", Json::object()}, {"label2id", Json::object()}};
    for (size_t i = 0; i < labels.size(); ++i) {
      names["id2label"][std::to_string(i)] = labels[i];
      names["label2id"][labels[i]] = i;
    }
    type[labels.size() == 1 ? "reranker" : "classifier"] = names;
  }
  const Json out = {{"model_id", model->name()},
                    {"model_sha", nullptr},
                    {"model_dtype", model->precision()},
                    {"model_type", type},
                    {"max_concurrent_requests", service.limits.in_flight},
                    {"max_input_length", model->max_length()},
                    {"max_batch_tokens", service.limits.tokens_per_batch},
                    {"max_batch_requests", nullptr},
                    {"max_client_batch_size", service.limits.items_per_request},
                    {"auto_truncate", false},
                    {"tokenization_workers", 1},
                    {"version", SUANLI_VERSION},
                    {"sha", nullptr},
                    {"docker_label", nullptr}};
  exchange->answer({.body = out.dump()});
}

}  // namespace

void add_embedding_routes(Router& router, const Service& service) {
  using Action = void (*)(const Service&, const ExchangePointer&);
  const auto add = [&](const char* method, const char* pattern, Action action) {
    router.add({.method = method,
                .pattern = pattern,
                .scope = Scope::infer,
                .handler = [service, action](const ExchangePointer& exchange) { action(service, exchange); },
                .error = tei_error});
  };
  add("POST", "/embed", embed);
  add("POST", "/embed_all", embed_all);
  add("POST", "/predict", predict);
  add("POST", "/rerank", rerank);
  add("POST", "/v1/rerank", rerank);
  add("POST", "/similarity", similarity);
  add("POST", "/tokenize", tokenize);
  add("POST", "/decode", decode);
  add("GET", "/info", info);
  // What the model is for, and what Hugging Face's client asks of it.
  router.add({.method = "POST",
              .pattern = "/",
              .scope = Scope::infer,
              .handler = [service](const ExchangePointer& exchange) { answer_hub(service, exchange, tei_error); },
              .error = tei_error,
              .body = BodyKind::binary});
}

void answer_hub_texts(const Service& all, const ExchangePointer& exchange) {
  const ModelPointer model = all.models.get("");
  if (exchange->request().body.size() > all.limits.json_bytes) {
    throw RequestError(Fault::too_large, "the body is too long");
  }
  if (model->kind() == ModelKind::classification) {
    return model->config().labels.size() == 1 ? rerank(all, exchange) : predict_texts(all, exchange, true);
  }
  if (model->kind() != ModelKind::embedding) return hub_pipeline(all, exchange, model, tei_error);
  const Json body = read_body(exchange->request());
  const Json* inputs = field(body, "inputs");
  inputs != nullptr && inputs->is_object() ? similarity(all, exchange) : embed(all, exchange);
}

}  // namespace suanli::serve
