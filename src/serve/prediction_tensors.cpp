#include "serve/prediction_tensors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace suanli::serve {

namespace {

using models::Head;

template <class T>
std::vector<T> elements_of(const InferTensor& tensor) {
  std::vector<T> out(tensor.data.size() / sizeof(T));
  std::memcpy(out.data(), tensor.data.data(), out.size() * sizeof(T));
  return out;
}

void check_bytes(const InferTensor& tensor) {
  const auto count = static_cast<size_t>(element_count(tensor.name, tensor.shape));
  const size_t bytes = count * element_size(tensor.datatype);
  if (tensor.data.size() != bytes) {
    wrong_tensor(tensor, std::to_string(bytes) + " bytes, got " + std::to_string(tensor.data.size()));
  }
}

std::vector<double> numbers_in(const InferTensor& tensor) {
  if (tensor.datatype != "FP64" && tensor.datatype != "FP32") {
    wrong_tensor(tensor, "the datatype FP64 or FP32, got " + tensor.datatype);
  }
  check_bytes(tensor);
  if (tensor.datatype == "FP64") return elements_of<double>(tensor);
  const auto narrow = elements_of<float>(tensor);
  return {narrow.begin(), narrow.end()};
}

/// A column as cells; NaN is a missing one.
std::vector<std::string> cells_of(const InferTensor& tensor) {
  if (tensor.datatype == "BYTES") return texts_of(tensor);
  const bool column = tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[1] == 1);
  if (!column) wrong_tensor(tensor, "the shape [rows] or [rows, 1]");
  std::vector<std::string> out;
  if (tensor.datatype == "INT64") {
    check_bytes(tensor);
    for (const int64_t value : elements_of<int64_t>(tensor)) out.push_back(std::to_string(value));
    return out;
  }
  if (tensor.datatype != "FP64" && tensor.datatype != "FP32") {
    wrong_tensor(tensor, "the datatype FP64, FP32, INT64 or BYTES, got " + tensor.datatype);
  }
  for (const double value : numbers_in(tensor)) {
    char digits[32];
    out.emplace_back(std::isnan(value) ? "" : std::string(digits, std::to_chars(digits, std::end(digits), value).ptr));
  }
  return out;
}

const InferTensor& input(const std::vector<InferTensor>& inputs, const std::string& name) {
  const auto found = std::ranges::find(inputs, name, &InferTensor::name);
  if (found == inputs.end()) throw RequestError(Fault::invalid, "expected the input \"" + name + "\"");
  return *found;
}

std::vector<PreparedInput> row_items(const PredictingModel& model, const std::vector<InferTensor>& inputs) {
  std::vector<PreparedInput> items;
  if (inputs.size() == 1 && inputs.front().name == "rows") {
    if (!inputs.front().shape.empty()) model.check_count(inputs.front().shape[0]);
    for (const std::string& text : texts_of(inputs.front())) {
      Json row;
      try {
        row = parse_json(text, "rows");
      } catch (const std::exception& error) {
        throw RequestError(Fault::invalid, error.what());
      }
      items.push_back(model.prepare(row));
    }
    return items;
  }
  std::vector<std::vector<std::string>> columns;
  for (const std::string& name : model.rows()->encoder().column_names()) {
    columns.push_back(cells_of(input(inputs, name)));
    if (columns.back().size() != columns.front().size()) {
      wrong_tensor(input(inputs, name), "as many rows as the other columns have");
    }
  }
  if (!columns.empty()) model.check_count(std::ssize(columns.front()));
  for (size_t row = 0; !columns.empty() && row < columns.front().size(); ++row) {
    std::vector<std::string> cells;
    for (auto& column : columns) cells.push_back(std::move(column[row]));
    items.push_back(model.prepare_row(std::move(cells)));
  }
  return items;
}

std::vector<PreparedInput> picture_items(const PredictingModel& model, const InferTensor& tensor) {
  std::vector<PreparedInput> items;
  if (!tensor.shape.empty()) model.check_count(tensor.shape[0]);
  if (tensor.datatype == "BYTES") {
    for (const std::string& bytes : texts_of(tensor)) items.push_back(model.prepare_picture(bytes));
    return items;
  }
  if (tensor.datatype != "UINT8" || tensor.shape.size() != 4 || (tensor.shape[3] != 3 && tensor.shape[3] != 1)) {
    wrong_tensor(tensor, "UINT8 [pictures, height, width, 3], or BYTES [pictures] of JPEG or PNG");
  }
  check_bytes(tensor);
  for (int64_t i = 0; i < tensor.shape[0]; ++i) {
    Image image(tensor.shape[1], tensor.shape[2], tensor.shape[3]);
    std::memcpy(image.values.data(), tensor.data.data() + static_cast<size_t>(i) * image.values.size(),
                image.values.size());
    items.push_back(model.prepare_picture(std::move(image)));
  }
  return items;
}

std::vector<PreparedInput> series_items(const PredictingModel& model, const InferTensor& tensor) {
  if (tensor.shape.empty() || tensor.shape.size() > 2) wrong_tensor(tensor, "the shape [values] or [series, values]");
  if (tensor.shape.size() == 2) model.check_count(tensor.shape[0]);
  const std::vector<double> values = numbers_in(tensor);
  const auto length = static_cast<size_t>(tensor.shape.back());
  std::vector<PreparedInput> items;
  for (size_t at = 0; length > 0 && at < values.size(); at += length) {
    items.push_back(model.prepare_series(std::span(values).subspan(at, length)));
  }
  return items;
}

void append_f32(std::string& data, std::span<const float> values) {
  data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

InferTensor predicted_output(const PredictingModel& model, const Predicted& predicted, const TensorInfo& info) {
  InferTensor out{.name = info.name, .datatype = info.datatype, .shape = info.shape, .data = {}};
  out.shape[0] = std::ssize(predicted.answers);
  for (const infer::Prediction& answer : predicted.answers) {
    if (info.name == "label") {
      append_bytes_element(out.data, answer.label);
    } else if (info.name == "score") {
      const auto at = std::ranges::find(model.labels(), answer.label) - model.labels().begin();
      append_f32(out.data, std::span(answer.numbers).subspan(static_cast<size_t>(at), 1));
    } else if (info.datatype == "FP32") {
      if (info.name == "forecast") out.shape[1] = std::ssize(answer.numbers);
      append_f32(out.data, answer.numbers);
    } else {
      const bool png = info.name == "mask" || info.name == "picture";
      append_bytes_element(out.data, png ? answer.png : answer.json);
    }
  }
  return out;
}

}  // namespace

std::vector<TensorInfo> predictor_inputs(const PredictingModel& model) {
  if (model.pictures() != nullptr) return {{"image", "UINT8", {-1, -1, -1, 3}}};
  if (model.series() != nullptr) return {{"series", "FP64", {-1}}};
  std::vector<TensorInfo> out;
  const Json encoder = model.rows()->encoder().to_json();
  for (const Json& column : encoder["columns"]) {
    const auto encoding = column["encoding"].get<std::string>();
    const bool number = encoding == "standardize" || encoding == "min_max" || encoding == "robust" || encoding == "log";
    out.push_back({column["name"].get<std::string>(), number ? "FP64" : "BYTES", {-1}});
  }
  return out;
}

std::vector<TensorInfo> predictor_outputs(const PredictingModel& model) {
  if (!model.labels().empty()) {
    return {{"label", "BYTES", {-1}}, {"score", "FP32", {-1}}, {"scores", "FP32", {-1, std::ssize(model.labels())}}};
  }
  if (model.rows() != nullptr) return {{"value", "FP32", {-1}}};
  if (model.series() != nullptr) return {{"forecast", "FP32", {-1, model.series()->config().prediction_length}}};
  switch (model.pictures()->head()) {
    case Head::object_detection:
      return {{"detections", "BYTES", {-1}}};
    case Head::semantic_segmentation:
      return {{"segments", "BYTES", {-1}}, {"mask", "BYTES", {-1}}};
    case Head::keypoint_detection:
      return {{"key_points", "BYTES", {-1}}};
    default:
      return {{"picture", "BYTES", {-1}}};
  }
}

std::vector<PreparedInput> items_of(const PredictingModel& model, const std::vector<InferTensor>& inputs) {
  for (const InferTensor& tensor : inputs) {
    if (std::ranges::count(inputs, tensor.name, &InferTensor::name) > 1) wrong_tensor(tensor, "each input once");
  }
  if (model.rows() != nullptr) return row_items(model, inputs);
  const char* name = model.pictures() != nullptr ? "image" : "series";
  for (const InferTensor& tensor : inputs) {
    if (tensor.name != name) wrong_tensor(tensor, "the name of an input");
  }
  const InferTensor& tensor = input(inputs, name);
  return model.pictures() != nullptr ? picture_items(model, tensor) : series_items(model, tensor);
}

std::vector<InferTensor> prediction_outputs(const PredictingModel& model, const Predicted& predicted,
                                            const std::vector<std::string>& names) {
  std::vector<InferTensor> out;
  for (const TensorInfo& info : predictor_outputs(model)) {
    if (names.empty()) out.push_back(predicted_output(model, predicted, info));
  }
  for (const std::string& name : names) {
    const auto known = predictor_outputs(model);
    out.push_back(predicted_output(model, predicted, *std::ranges::find(known, name, &TensorInfo::name)));
  }
  return out;
}

}  // namespace suanli::serve
