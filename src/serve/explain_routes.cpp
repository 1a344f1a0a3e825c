#include <algorithm>
#include <cmath>

#include "base/json_text.h"
#include "data/rows.h"
#include "serve/ask.h"
#include "serve/fields.h"

namespace suanli::serve {

namespace {

const Json& some_instances_of(const Json& body) {
  const Json& list = instances_of(body);
  if (list.empty()) wrong_field("inputs", "a list");
  return list;
}

/// The place of the label that `parameters` names, or -1.
int64_t asked_label(const Json& parameters, const std::vector<std::string>& labels) {
  const std::string name = string_field(parameters, "label", "");
  if (name.empty()) return -1;
  const auto found = std::ranges::find(labels, name);
  if (found == labels.end()) wrong_field("label", "a label of the model");
  return found - labels.begin();
}

std::string begin_answer(const LoadedModel& model, const char* method) {
  return R"({"model_name":")" + model.name() + R"(","model_version":")" + std::to_string(model.version()) +
         R"(","method":")" + method + R"(","explanations":[)";
}

void append_field(std::string& out, const char* name, double value) {
  out += std::string(",\"") + name + "\":";
  append_number(out, static_cast<float>(value));
}

void append_explanation(std::string& out, const ServedModel& model, const Encoding& text,
                        const infer::Attribution& found) {
  out += out.back() == '[' ? "{\"label\":" : ",{\"label\":";
  append_string(out, model.config().labels[static_cast<size_t>(found.label)]);
  double sum = 0;
  for (const double each : found.tokens) sum += each;
  append_field(out, "output", found.output);
  append_field(out, "baseline_output", found.baseline_output);
  append_field(out, "delta", sum - (found.output - found.baseline_output));
  out += ",\"attributions\":[";
  for (size_t t = 0; t < found.tokens.size(); ++t) {
    if (text.special[t] != 0) continue;
    out += out.back() == '[' ? "{\"token\":" : ",{\"token\":";
    append_string(out, model.tokenizer().token_of(text.ids[t]));
    out += ",\"sequence\":" + std::to_string(text.types[t]) + ",\"start\":" + std::to_string(text.offsets[t].first) +
           ",\"end\":" + std::to_string(text.offsets[t].second);
    append_field(out, "score", found.tokens[t]);
    out += '}';
  }
  out += "]}";
}

void explain_texts(const Service& service, const ModelPointer& model, const ExchangePointer& exchange) {
  if (model->kind() != ModelKind::classification) throw RequestError(Fault::invalid, "this model does not classify");
  const Json body = read_body(exchange->request());
  const Json &inputs = some_instances_of(body), &parameters = object_field(body, "parameters");
  if (inputs.size() > service.limits.items_per_request) {
    wrong_field("inputs", "at most " + std::to_string(service.limits.items_per_request));
  }
  const std::string method = string_field(parameters, "method", "integrated_gradients");
  if (method != "integrated_gradients" && method != "occlusion") {
    wrong_field("method", "integrated_gradients or occlusion");
  }
  const infer::AttributionOptions options = {.method = method == "occlusion"
                                                           ? infer::AttributionMethod::occlusion
                                                           : infer::AttributionMethod::integrated_gradients,
                                             .n_steps = integer_field(parameters, "n_steps", 50, 1, 1000),
                                             .label = asked_label(parameters, model->config().labels)};
  const Question question{
      .inputs = {}, .output = model->output(), .truncate = bool_field(parameters, "truncate", false)};
  auto texts = std::make_shared<std::vector<Encoding>>();
  for (const Json& value : inputs) texts->push_back(model->encode(text_instance(value, false), question));
  const infer::WorkOptions work = {.deadline = exchange->request().deadline, .cancelled = exchange->cancelled()};
  model->explainer().explain(
      *texts, options, work,
      [=](const std::vector<infer::Attribution>& found) {
        std::string out = begin_answer(*model, method.c_str());
        for (size_t i = 0; i < found.size(); ++i) append_explanation(out, *model, (*texts)[i], found[i]);
        exchange->answer({.body = out + "]}"});
      },
      [exchange, model](const RequestError& error) { exchange->answer(error_answer(plain_error, error)); });
}

/// For each column what the probability of the label (or the value) loses where the cell is missing.
void explain_row(const PredictorPointer& model, const ExchangePointer& exchange) {
  if (model->rows() == nullptr) throw RequestError(Fault::invalid, "expected a model of texts or tables");
  const Json body = read_body(exchange->request());
  const Json &inputs = some_instances_of(body), &parameters = object_field(body, "parameters");
  if (inputs.size() != 1) wrong_field("inputs", "one row");
  if (string_field(parameters, "method", "occlusion") != "occlusion") wrong_field("method", "occlusion");
  const int64_t asked = asked_label(parameters, model->labels());
  const std::vector<std::string>& columns = model->rows()->encoder().column_names();
  Asking asking;
  asking.items.push_back(model->prepare(inputs.front()));
  for (const std::string& column : columns) {
    Json row = inputs.front();
    row[column] = nullptr;
    asking.items.push_back(model->prepare(row));
  }
  asking.whole = true;
  ask(model, exchange, std::move(asking), plain_error, [model, columns, asked](Predicted& predicted) -> Response {
    const auto& answers = predicted.answers;
    const auto& labels = model->labels();
    const auto at = static_cast<size_t>(labels.empty() ? 0
                                        : asked >= 0   ? asked
                                                       : std::ranges::find(labels, answers[0].label) - labels.begin());
    std::string out = begin_answer(*model, "occlusion") + "{\"label\":";
    append_string(out, labels.empty() ? "" : labels[at]);
    append_field(out, "output", answers[0].numbers[at]);
    out += ",\"attributions\":[";
    for (size_t i = 0; i < columns.size(); ++i) {
      out += i > 0 ? ",{\"column\":" : "{\"column\":";
      append_string(out, columns[i]);
      append_field(out, "score",
                   static_cast<double>(answers[0].numbers[at]) - static_cast<double>(answers[i + 1].numbers[at]));
      out += '}';
    }
    return {.body = out + "]}]}"};
  });
}

void explain_route(const Service& service, const ExchangePointer& exchange) {
  const auto any = any_of_path(service, exchange->request());
  exchange->counts_for(any->name());
  if (const auto predictor = std::dynamic_pointer_cast<PredictingModel>(any)) {
    return beside(service, exchange, plain_error, [=] { explain_row(predictor, exchange); });
  }
  const ModelPointer model = model_of_path(service, exchange->request());
  beside(service, exchange, plain_error, [=] { explain_texts(service, model, exchange); });
}

}  // namespace

void add_explain_routes(Router& router, const Service& service) {
  for (const char* pattern :
       {"/v2/models/{model}/explain", "/v2/models/{model}/versions/{version}/explain", "/v1/models/{model}:explain"}) {
    router.add({.method = "POST",
                .pattern = pattern,
                .scope = Scope::infer,
                .handler = [service](const ExchangePointer& exchange) { explain_route(service, exchange); }});
  }
}

}  // namespace suanli::serve
