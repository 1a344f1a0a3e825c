#include "serve/tei.h"

#include <algorithm>
#include <cmath>

#include "base/json_text.h"
#include "infer/predictions.h"
#include "serve/fields.h"

namespace suanli::serve {

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

Response Effort::answer(std::string body, const Answers& answers) const {
  const auto milliseconds = [](int64_t nanoseconds) { return std::to_string(nanoseconds / 1'000'000); };
  Response out = {.body = std::move(body),
                  .headers = {{"x-compute-type", "cpu"},
                              {"x-compute-time", milliseconds(answers.tokenization_ns + answers.timing.compute_ns)},
                              {"x-compute-characters", std::to_string(answers.characters)},
                              {"x-compute-tokens", std::to_string(answers.tokens)},
                              {"x-total-time", milliseconds(total().count())},
                              {"x-tokenization-time", milliseconds(answers.tokenization_ns)},
                              {"x-queue-time", milliseconds(answers.timing.queue_ns)},
                              {"x-inference-time", milliseconds(answers.timing.compute_ns)}}};
  if (const auto joules = energy_.request(answers.tokens)) {
    std::string text;
    append_number(text, static_cast<float>(*joules));
    out.headers.emplace_back("x-energy-joules", text);
  }
  return out;
}

ModelPointer tei_model(const Service& service, const std::string& name, ModelKind kind, const char* what, Fault fault) {
  ModelPointer model = service.models.get(name);
  if (model->kind() != kind) throw RequestError(fault, std::string("this model does not ") + what);
  return model;
}

ModelPointer tei_ranker(const Service& service, const std::string& name, Fault fault) {
  ModelPointer model = tei_model(service, name, ModelKind::classification, "rank texts", fault);
  if (model->config().labels.size() != 1) throw RequestError(fault, "this model does not rank texts");
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

void read_prompt(const Json& body, const ServedModel& model, std::vector<Input>& inputs) {
  const Json* name = field(body, "prompt_name");
  if (name != nullptr) add_prompt(model, string_field(body, "prompt_name", ""), inputs);
}

void add_prompt(const ServedModel& model, const std::string& name, std::vector<Input>& inputs) {
  const auto prompt = model.prompts().find(name);
  if (prompt == model.prompts().end()) wrong_field("prompt_name", "the name of a prompt that the model has");
  for (Input& input : inputs) input.text = prompt->second + input.text;
}

std::vector<Scored> ranked_labels(const ServedModel& model, std::span<const float> logits, bool raw) {
  const std::vector<double> scores =
      raw ? std::vector<double>(logits.begin(), logits.end()) : infer::label_scores(model.config(), logits);
  std::vector<Scored> best;
  for (size_t i = 0; i < scores.size(); ++i) best.push_back({scores[i], i});
  std::ranges::stable_sort(best, std::greater{}, &Scored::score);
  return best;
}

std::vector<Scored> ranked_texts(const Answers& answers, bool raw) {
  std::vector<Scored> best;
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const double logit = answers.rows[i].front();
    best.push_back({raw ? logit : 1 / (1 + std::exp(-logit)), i});
  }
  std::ranges::stable_sort(best, std::greater{}, &Scored::score);
  return best;
}

}  // namespace suanli::serve
