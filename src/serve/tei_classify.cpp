#include <algorithm>

#include "base/json_text.h"
#include "serve/fields.h"
#include "serve/tei.h"

namespace suanli::serve {

namespace {

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

void append_scores(std::string& out, const std::vector<Scored>& best, const std::vector<std::string>& labels) {
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

}  // namespace

void predict_texts(const Service& service, const ExchangePointer& exchange, bool nested) {
  const Json body = read_body(exchange->request());
  const ModelPointer model =
      tei_model(service, string_field(body, "model", ""), ModelKind::classification, "classify texts");
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
          const std::vector<Scored> best = ranked_labels(*model, row, raw);
          metrics.prediction(model->name(), model->config().labels[best.front().index]);
          append_scores(out, best, model->config().labels);
        }
        return effort.answer(out + (single ? "" : "]"), answers);
      });
}

void rerank(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = tei_ranker(service, string_field(body, "model", ""));
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
    std::vector<Scored> best = ranked_texts(answers, raw);
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

}  // namespace suanli::serve
