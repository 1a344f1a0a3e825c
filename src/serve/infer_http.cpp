#include "serve/infer_http.h"

#include <charconv>
#include <cstring>

#include "base/json_text.h"
#include "serve/ask.h"
#include "serve/fields.h"
#include "serve/open_inference.h"
#include "serve/prediction_tensors.h"

namespace suanli::serve {

namespace {

/// The JSON of a request, and the bytes behind it.
struct InferBody {
  Json json;
  std::string_view binary;
};

InferBody infer_body(const Request& request) {
  size_t length = request.body.size();
  const std::string_view given = request.header("inference-header-content-length");
  if (!given.empty()) {
    const char* end = given.data() + given.size();
    if (std::from_chars(given.data(), end, length).ptr != end || length > request.body.size()) {
      throw RequestError(Fault::invalid, "expected Inference-Header-Content-Length within the body");
    }
  }
  Request head = {.method = "", .path = "", .body = request.body.substr(0, length)};
  return {.json = read_body(head), .binary = std::string_view(request.body).substr(length)};
}

void append_element(InferTensor& tensor, const Json& value) {
  if (tensor.datatype == "BYTES") {
    if (!value.is_string()) wrong_field("data", "texts for the datatype BYTES");
    append_bytes_element(tensor.data, value.get_ref<const std::string&>());
    return;
  }
  const auto append = [&](auto number) { tensor.data.append(reinterpret_cast<const char*>(&number), sizeof number); };
  if (tensor.datatype == "FP64" || tensor.datatype == "FP32") {
    if (!value.is_number()) wrong_field("data", "numbers for the datatype " + tensor.datatype);
    return tensor.datatype == "FP64" ? append(value.get<double>()) : append(value.get<float>());
  }
  if (!value.is_number_integer()) wrong_field("data", "integers for the datatype " + tensor.datatype);
  const auto wide = value.get<int64_t>();
  if (tensor.datatype == "INT64") {
    append(wide);
  } else if (tensor.datatype == "INT32" && static_cast<int32_t>(wide) == wide) {
    append(static_cast<int32_t>(wide));
  } else if (tensor.datatype == "UINT8" && static_cast<uint8_t>(wide) == wide) {
    append(static_cast<uint8_t>(wide));
  } else {
    wrong_field("datatype", "BYTES, INT64, INT32, UINT8, FP64 or FP32, and data that fits");
  }
}

/// Flat, or nested as the shape is.
void append_elements(InferTensor& tensor, const Json& value) {
  if (!value.is_array()) return append_element(tensor, value);
  for (const Json& part : value) append_elements(tensor, part);
}

InferTensor input_tensor(const Json& json, std::string_view& binary) {
  if (!json.is_object()) wrong_field("inputs", "a list of tensors");
  InferTensor tensor{
      .name = string_field(json, "name", ""), .datatype = string_field(json, "datatype", ""), .shape = {}, .data = {}};
  const Json* shape = field(json, "shape");
  if (shape == nullptr || !shape->is_array() || shape->size() > 8) wrong_field("shape", "a list of sizes");
  for (const Json& size : *shape) {
    if (!size.is_number_integer()) wrong_field("shape", "a list of sizes");
    tensor.shape.push_back(size.get<int64_t>());
  }
  const int64_t count = element_count(tensor.name, tensor.shape);
  const Json* parameters = field(json, "parameters");
  const Json* data = field(json, "data");
  if (parameters != nullptr && parameters->contains("binary_data_size")) {
    const auto size = static_cast<size_t>(integer_field(*parameters, "binary_data_size", 0, 0, INT32_MAX));
    if (data != nullptr || size > binary.size()) wrong_field("binary_data_size", "bytes behind the JSON, and no data");
    tensor.data = std::string(binary.substr(0, size));
    binary.remove_prefix(size);
    return tensor;
  }
  if (data == nullptr || !data->is_array()) wrong_field("data", "a list");
  append_elements(tensor, *data);
  const size_t size = element_size(tensor.datatype);
  const size_t elements = size == 0 ? bytes_elements(tensor).size() : tensor.data.size() / size;
  if (static_cast<int64_t>(elements) != count) {
    wrong_field("data", std::to_string(count) + " elements, as the shape says, got " + std::to_string(elements));
  }
  return tensor;
}

/// Which outputs a request wants, and whether as bytes behind the JSON.
struct Wanted {
  std::vector<std::string> names;
  std::vector<bool> binary;
  bool binary_by_default = false;
};

Wanted wanted_outputs(const Json& body, const std::vector<TensorInfo>& known) {
  Wanted out;
  const Json none = Json::object();
  out.binary_by_default = bool_field(object_field(body, "parameters"), "binary_data_output", false);
  const Json* outputs = field(body, "outputs");
  if (outputs == nullptr) return out;
  if (!outputs->is_array() || outputs->empty()) wrong_field("outputs", "a list of outputs");
  for (const Json& output : *outputs) {
    if (!output.is_object()) wrong_field("outputs", "a list of outputs");
    const std::string name = string_field(output, "name", "");
    check_output_names(known, {name});
    const Json* own = field(output, "parameters");
    out.names.push_back(name);
    out.binary.push_back(
        bool_field(own != nullptr && own->is_object() ? *own : none, "binary_data", out.binary_by_default));
  }
  return out;
}

void append_shape(std::string& out, const std::vector<int64_t>& shape) {
  out += '[';
  for (const int64_t size : shape) {
    if (out.back() != '[') out += ',';
    out += std::to_string(size);
  }
  out += ']';
}

void append_data(std::string& out, const InferTensor& tensor) {
  if (tensor.datatype == "FP32") {
    std::vector<float> values(tensor.data.size() / sizeof(float));
    std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    return append_numbers(out, values);
  }
  out += '[';
  for (size_t at = 0; tensor.datatype == "INT64" && at < tensor.data.size(); at += sizeof(int64_t)) {
    int64_t value = 0;
    std::memcpy(&value, tensor.data.data() + at, sizeof value);
    if (at > 0) out += ',';
    out += std::to_string(value);
  }
  if (tensor.datatype == "INT64") {
    out += ']';
    return;
  }
  for (const std::string& element : bytes_elements(tensor)) {
    if (out.back() != '[') out += ',';
    append_string(out, element);
  }
  out += ']';
}

Response infer_response(const LoadedModel& model, const std::vector<InferTensor>& tensors, const Wanted& wanted,
                        const std::string& id) {
  std::string out =
      R"({"model_name":")" + model.name() + R"(","model_version":")" + std::to_string(model.version()) + "\"";
  if (!id.empty()) {
    out += ",\"id\":";
    append_string(out, id);
  }
  out += ",\"outputs\":[";
  std::string binary;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const InferTensor& tensor = tensors[i];
    out += (i > 0 ? ",{\"name\":\"" : "{\"name\":\"") + tensor.name + R"(","datatype":")" + tensor.datatype +
           R"(","shape":)";
    append_shape(out, tensor.shape);
    if (wanted.names.empty() ? wanted.binary_by_default : wanted.binary[i]) {
      out += ",\"parameters\":{\"binary_data_size\":" + std::to_string(tensor.data.size()) + "}}";
      binary += tensor.data;
    } else {
      out += ",\"data\":";
      append_data(out, tensor);
      out += '}';
    }
  }
  out += "]}";
  if (binary.empty()) return {.body = std::move(out)};
  const std::string length = std::to_string(out.size());
  return {.body = out + binary,
          .content_type = "application/octet-stream",
          .headers = {{"Inference-Header-Content-Length", length}}};
}

/// The tensors of a request with their bytes.
std::vector<InferTensor> input_tensors(InferBody& body) {
  const Json* inputs = field(body.json, "inputs");
  if (inputs == nullptr || !inputs->is_array()) wrong_field("inputs", "a list of tensors");
  std::vector<InferTensor> tensors;
  for (const Json& input : *inputs) tensors.push_back(input_tensor(input, body.binary));
  if (!body.binary.empty()) throw RequestError(Fault::invalid, "expected no bytes that no input has");
  return tensors;
}

int priority_of(const Json& parameters) {
  return static_cast<int>(integer_field(parameters, "priority", 0, -1000, 1000));
}

void infer_predictions(const PredictorPointer& model, const ExchangePointer& exchange) {
  InferBody body = infer_body(exchange->request());
  Asking asking{.items = items_of(*model, input_tensors(body))};
  int64_t horizon = model->horizon();
  if (const Json* parameters = field(body.json, "parameters"); parameters != nullptr && parameters->is_object()) {
    asking.work.priority = priority_of(*parameters);
    if (model->series() != nullptr) horizon = integer_field(*parameters, "horizon", horizon, 1, horizon);
  }
  const Wanted wanted = wanted_outputs(body.json, predictor_outputs(*model));
  const std::string id = string_field(body.json, "id", "");
  ask(model, exchange, std::move(asking), plain_error, [model, wanted, id, horizon](Predicted& predicted) {
    cut_forecasts(predicted, horizon);
    return infer_response(*model, prediction_outputs(*model, predicted, wanted.names), wanted, id);
  });
}

}  // namespace

void infer_route(const Service& service, const ExchangePointer& exchange) {
  const auto any = any_of_path(service, exchange->request());
  exchange->counts_for(any->name());
  if (const auto predictor = std::dynamic_pointer_cast<PredictingModel>(any)) {
    // Pictures are decoded beside the network thread.
    return beside(service, exchange, plain_error, [=] { infer_predictions(predictor, exchange); });
  }
  const ModelPointer model = model_of_path(service, exchange->request());
  InferBody body = infer_body(exchange->request());
  Question question = question_of(*model, input_tensors(body));
  if (const Json* parameters = field(body.json, "parameters"); parameters != nullptr && parameters->is_object()) {
    question.truncate = bool_field(*parameters, "truncate", false);
    question.work.priority = priority_of(*parameters);
  }
  const Wanted wanted = wanted_outputs(body.json, model_outputs(*model));
  const std::string id = string_field(body.json, "id", "");
  ask(model, exchange, std::move(question), plain_error, [model, wanted, id](const Answers& answers) {
    return infer_response(*model, outputs_of(*model, answers, wanted.names), wanted, id);
  });
}

}  // namespace suanli::serve
