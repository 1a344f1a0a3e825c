#include <algorithm>

#include "base/base64.h"
#include "base/json_text.h"
#include "infer/predictions.h"
#include "serve/fields.h"
#include "serve/hub.h"

namespace suanli::serve {

namespace {

Response predictions_response(const LoadedModel& model, const std::vector<std::string>& predictions) {
  std::string out = R"({"model_name":")" + model.name() + R"(","model_version":")" + std::to_string(model.version()) +
                    R"(","predictions":[)";
  for (size_t i = 0; i < predictions.size(); ++i) {
    if (i > 0) out += ',';
    out += predictions[i];
  }
  return {.body = out + "]}"};
}

/// What `suanli predict` says of one input, and what it writes into files in base64.
std::string prediction_text(const PredictingModel& model, const infer::Prediction& answer, int64_t top_k) {
  std::string out;
  if (model.series() != nullptr) {
    out = "{\"forecast\": ";
    append_numbers(out, answer.numbers);
    return out + "}";
  }
  if (model.rows() != nullptr) return answer.json;
  switch (model.pictures()->head()) {
    case models::Head::image_classification:
      if (top_k > 1) infer::append_labels(out, model.labels(), answer.numbers, top_k);
      return top_k > 1 ? out : answer.json;
    case models::Head::semantic_segmentation:
      return "{\"segments\": " + answer.json + ", \"mask\": \"" + to_base64(answer.png) + "\"}";
    case models::Head::keypoint_detection:
      return "{\"key_points\": " + answer.json + "}";
    case models::Head::image_super_resolution:
      out = answer.json;
      out.pop_back();
      return out + ", \"picture\": \"" + to_base64(answer.png) + "\"}";
    default:
      return answer.json;
  }
}

void predict_items(const PredictorPointer& model, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const Json &list = instances_of(body), &parameters = object_field(body, "parameters");
  model->check_count(std::ssize(list));
  const int64_t top_k = integer_field(parameters, "top_k", 1, 1, 1000);
  const int64_t most = model->horizon();
  const int64_t horizon = most == 0 ? 0 : integer_field(parameters, "horizon", most, 1, most);
  Asking asking;
  for (const Json& value : list) asking.items.push_back(model->prepare(value));
  ask(model, exchange, std::move(asking), plain_error, [model, top_k, horizon](Predicted& predicted) {
    cut_forecasts(predicted, horizon);
    std::vector<std::string> out;
    for (const infer::Prediction& answer : predicted.answers) out.push_back(prediction_text(*model, answer, top_k));
    return predictions_response(*model, out);
  });
}

void predict_texts_of(const ModelPointer& model, const ExchangePointer& exchange, size_t most_bytes) {
  if (exchange->request().body.size() > most_bytes) throw RequestError(Fault::too_large, "the body is too long");
  const Json body = read_body(exchange->request());
  const Json& parameters = object_field(body, "parameters");
  Question question{.inputs = {}, .output = model->output()};
  const bool questions = model->kind() == ModelKind::question_answering;
  for (const Json& value : instances_of(body)) question.inputs.push_back(text_instance(value, questions));
  question.truncate = bool_field(parameters, "truncate", false);
  const AnswerOptions options = questions ? read_answer_options(parameters, question) : AnswerOptions();
  const int64_t top_k = integer_field(parameters, "top_k", 0, 0, 1000);
  ask(model, exchange, std::move(question), plain_error, [model, options, top_k](const Answers& answers) {
    return predictions_response(*model, text_predictions(*model, answers, options, top_k));
  });
}

void predict_route(const Service& service, const ExchangePointer& exchange) {
  const auto any = any_of_path(service, exchange->request());
  exchange->counts_for(any->name());
  if (const auto predictor = std::dynamic_pointer_cast<PredictingModel>(any)) {
    return beside(service, exchange, plain_error, [=] { predict_items(predictor, exchange); });
  }
  predict_texts_of(model_of_path(service, exchange->request()), exchange, service.limits.json_bytes);
}

}  // namespace

void add_prediction_routes(Router& router, const Service& service) {
  for (const char* pattern :
       {"/v2/models/{model}/predict", "/v2/models/{model}/versions/{version}/predict", "/v1/models/{model}:predict"}) {
    router.add({.method = "POST",
                .pattern = pattern,
                .scope = Scope::infer,
                .handler = [service](const ExchangePointer& exchange) { predict_route(service, exchange); },
                .body = BodyKind::binary});
  }
}

}  // namespace suanli::serve
