#include "serve/hub.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json_text.h"
#include "image/decode.h"
#include "image/png.h"
#include "infer/predictions.h"
#include "serve/fields.h"

namespace suanli::serve {

namespace {

/// {"table": {"column": [cells]}}, also under "inputs".
std::vector<PreparedInput> table_items(const PredictingModel& model, const Json& body) {
  const Json* table = field(body, "table");
  if (table == nullptr) table = field(object_field(body, "inputs"), "table");
  if (table == nullptr || !table->is_object()) wrong_field("table", "an object of columns");
  std::vector<PreparedInput> items;
  const std::vector<std::string>& columns = model.rows()->encoder().column_names();
  size_t count = 0;
  for (const std::string& column : columns) {
    const Json* cells = field(*table, column.c_str());
    if (cells == nullptr || !cells->is_array()) wrong_field("table", "the column \"" + column + "\" as a list");
    if (column != columns.front() && cells->size() != count) wrong_field("table", "columns of one length");
    count = cells->size();
  }
  model.check_count(static_cast<int64_t>(count));
  for (size_t row = 0; row < count; ++row) {
    Json object = Json::object();
    for (const std::string& column : columns) object[column] = (*table)[column][row];
    items.push_back(model.prepare(object));
  }
  return items;
}

/// A list with the answer to each row.
Response table_answer(const PredictingModel& model, const Predicted& predicted) {
  std::string out = "[";
  for (const infer::Prediction& answer : predicted.answers) {
    if (out.size() > 1) out += ',';
    if (model.rows()->config().regression()) {
      append_number(out, answer.numbers.front());
    } else {
      append_string(out, answer.label);
    }
  }
  return {.body = out + "]"};
}

/// For each class that occurs the pixels that it has, as a grey PNG.
std::string segments_text(const infer::Prediction& answer) {
  const Mask classes =
      decode_mask(std::as_bytes(std::span(answer.png.data(), answer.png.size())), {.max_pixels = INT64_MAX}, "mask");
  std::string out = "[";
  for (const Json& segment : parse_json(answer.json, "segments")) {
    const auto value = segment["value"].get<uint16_t>();
    Image own(classes.height, classes.width, 1);
    std::ranges::transform(classes.values, own.values.begin(),
                           [&](uint16_t each) { return static_cast<uint8_t>(each == value ? 255 : 0); });
    out += out.size() > 1 ? ",{\"label\":" : "{\"label\":";
    append_string(out, segment["label"].get<std::string>());
    out += ",\"score\":null,\"mask\":\"" + to_base64(encode_png(own)) + "\"}";
  }
  return out + "]";
}

Response picture_answer(const PredictingModel& model, const infer::Prediction& answer, int64_t top_k) {
  std::string out;
  switch (model.pictures()->head()) {
    case models::Head::image_classification:
      infer::append_labels(out, model.labels(), answer.numbers, top_k);
      return {.body = out};
    case models::Head::semantic_segmentation:
      return {.body = segments_text(answer)};
    case models::Head::image_super_resolution:
      return {.body = answer.png, .content_type = "image/png"};
    default:
      return {.body = answer.json};
  }
}

void hub_predictions(const PredictorPointer& model, const ExchangePointer& exchange, ErrorForm form) {
  const std::string& body = exchange->request().body;
  // A file of a picture begins with a byte that JSON does not begin with.
  const bool file = body.starts_with('\xFF') || body.starts_with('\x89');
  const Json json = file ? Json::object() : read_body(exchange->request());
  const Json& parameters = object_field(json, "parameters");
  Asking asking;
  const int64_t horizon =
      model->series() == nullptr ? 0 : integer_field(parameters, "horizon", model->horizon(), 1, model->horizon());
  const int64_t top_k = integer_field(parameters, "top_k", 5, 1, 1000);
  if (model->rows() != nullptr) {
    asking.items = table_items(*model, json);
  } else if (file && model->pictures() != nullptr) {
    asking.items.push_back(model->prepare_picture(std::string_view(body)));
  } else {
    const Json* inputs = field(json, "inputs");
    if (inputs == nullptr) wrong_field("inputs", "a picture in base64, or a series");
    asking.items.push_back(model->prepare(*inputs));
  }
  ask(model, exchange, std::move(asking), form, [model, top_k, horizon](Predicted& predicted) -> Response {
    cut_forecasts(predicted, horizon);
    if (model->rows() != nullptr) return table_answer(*model, predicted);
    if (model->pictures() != nullptr) return picture_answer(*model, predicted.answers.front(), top_k);
    std::string out;
    append_numbers(out, predicted.answers.front().numbers);
    return {.body = out};
  });
}

}  // namespace

AnswerOptions read_answer_options(const Json& parameters, Question& question) {
  AnswerOptions options;
  options.top_k = integer_field(parameters, "top_k", 1, 1, 100);
  options.max_answer_length = integer_field(parameters, "max_answer_len", options.max_answer_length, 1, 1000);
  options.handle_impossible_answer = bool_field(parameters, "handle_impossible_answer", false);
  options.n_best_size = std::max<int64_t>(options.n_best_size, 2 * options.top_k + 10);
  question.windows.max_length = integer_field(parameters, "max_seq_len", 0, 8, INT32_MAX);
  question.windows.doc_stride = integer_field(parameters, "doc_stride", question.windows.doc_stride, 0, INT32_MAX);
  return options;
}

std::vector<std::string> text_predictions(const ServedModel& model, const Answers& answers,
                                          const AnswerOptions& options, int64_t top_k) {
  const bool questions = model.kind() == ModelKind::question_answering;
  std::vector<std::string> out(questions ? answers.passages.size() : answers.rows.size());
  for (size_t i = 0; i < out.size(); ++i) {
    switch (model.kind()) {
      case ModelKind::embedding:
        append_numbers(out[i], answers.rows[i]);
        break;
      case ModelKind::classification:
        infer::append_classification(out[i], model.config(), answers.rows[i], top_k > 0 ? top_k : 1);
        break;
      case ModelKind::token_classification:
        infer::append_entities(out[i], model.config(), model.tokenizer(), answers.encodings[i], answers.rows[i], true);
        break;
      case ModelKind::fill_mask:
        infer::append_fills(out[i], model.tokenizer(), answers.encodings[i], answers.rows[i], top_k > 0 ? top_k : 5);
        break;
      case ModelKind::question_answering:
        infer::append_answers(out[i], spans_of(answers, i, options), options.top_k);
        break;
    }
  }
  return out;
}

void hub_pipeline(const Service&, const ExchangePointer& exchange, const ModelPointer& model, ErrorForm form) {
  const Json body = read_body(exchange->request());
  const Json& parameters = object_field(body, "parameters");
  Question question{.inputs = {}, .output = model->output()};
  AnswerOptions options;
  if (model->kind() == ModelKind::question_answering) {
    options = read_answer_options(parameters, question);
    const Json& inputs = object_field(body, "inputs");
    question.inputs.push_back(
        {.text = string_field(inputs, "question", ""), .pair = string_field(inputs, "context", "")});
  } else {
    bool single = false;
    question.inputs = inputs_of(body, "inputs", single);
    if (!single || question.inputs.front().text.empty()) wrong_field("inputs", "a text");
  }
  const int64_t top_k = integer_field(parameters, "top_k", 0, 0, 1000);
  ask(model, exchange, std::move(question), form, [model, options, top_k](const Answers& answers) -> Response {
    return {.body = text_predictions(*model, answers, options, top_k).front()};
  });
}

void answer_hub(const Service& service, const ExchangePointer& exchange, ErrorForm form) {
  const auto any = service.models.any("");
  const auto predictor = std::dynamic_pointer_cast<PredictingModel>(any);
  if (!predictor) return answer_hub_texts(service, exchange);
  exchange->counts_for(any->name());
  beside(service, exchange, form, [=] { hub_predictions(predictor, exchange, form); });
}

}  // namespace suanli::serve
