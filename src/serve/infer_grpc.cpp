#include "serve/infer_grpc.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "inference.pb.h"
#include "serve/ask.h"
#include "serve/grpc_message.h"
#include "serve/open_inference.h"
#include "serve/prediction_tensors.h"

namespace suanli::serve {

namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

template <class T, class Repeated>
void append_values(std::string& data, const Repeated& values) {
  for (const T value : values) data.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Elements that came one by one, as the datatype's bytes. Datatypes that no model takes are refused by name later.
std::string data_of(const std::string& datatype, const inference::InferTensorContents& contents) {
  std::string data;
  if (datatype == "BYTES") {
    for (const std::string& element : contents.bytes_contents()) append_bytes_element(data, element);
  } else if (datatype == "INT64") {
    append_values<int64_t>(data, contents.int64_contents());
  } else if (datatype == "INT32") {
    append_values<int32_t>(data, contents.int_contents());
  } else if (datatype == "UINT8") {
    for (const uint32_t value : contents.uint_contents()) {
      if (value > 255)
        throw RequestError(Fault::invalid, "expected UINT8 of at most 255, got " + std::to_string(value));
      data += static_cast<char>(value);
    }
  } else if (datatype == "FP32") {
    append_values<float>(data, contents.fp32_contents());
  } else if (datatype == "FP64") {
    append_values<double>(data, contents.fp64_contents());
  }
  return data;
}

std::vector<InferTensor> tensors_of(ModelInferRequest& request) {
  const bool raw = request.raw_input_contents_size() > 0;
  if (raw && request.raw_input_contents_size() != request.inputs_size()) {
    throw RequestError(Fault::invalid, "expected raw_input_contents of each of the " +
                                           std::to_string(request.inputs_size()) + " inputs, got " +
                                           std::to_string(request.raw_input_contents_size()));
  }
  std::vector<InferTensor> out;
  for (int i = 0; i < request.inputs_size(); ++i) {
    auto& input = *request.mutable_inputs(i);
    if (raw && input.has_contents()) {
      throw RequestError(Fault::invalid, "input \"" + input.name() + "\": expected contents or raw_input_contents");
    }
    if (input.shape_size() > 8) {
      throw RequestError(Fault::invalid, "input \"" + input.name() + "\": expected a shape of at most 8 sizes");
    }
    out.push_back({.name = input.name(),
                   .datatype = input.datatype(),
                   .shape = {input.shape().begin(), input.shape().end()},
                   .data = raw ? std::move(*request.mutable_raw_input_contents(i))
                               : data_of(input.datatype(), input.contents())});
  }
  return out;
}

const inference::InferParameter* parameter(const ModelInferRequest& request, const char* name) {
  const auto found = request.parameters().find(name);
  return found == request.parameters().end() ? nullptr : &found->second;
}

bool flag(const ModelInferRequest& request, const char* name) {
  const auto* value = parameter(request, name);
  if (value != nullptr && !value->has_bool_param()) {
    throw RequestError(Fault::invalid, "\"" + std::string(name) + "\": expected true or false");
  }
  return value != nullptr && value->bool_param();
}

int64_t integer(const ModelInferRequest& request, const char* name, int64_t otherwise, int64_t least, int64_t most) {
  const auto* value = parameter(request, name);
  if (value == nullptr) return otherwise;
  const bool fits = value->has_int64_param() || (value->has_uint64_param() && value->uint64_param() <= INT64_MAX);
  const int64_t number = value->has_int64_param() ? value->int64_param() : static_cast<int64_t>(value->uint64_param());
  if (!fits || number < least || number > most) {
    throw RequestError(Fault::invalid, "\"" + std::string(name) + "\": expected an integer from " +
                                           std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

int priority_of(const ModelInferRequest& request) {
  return static_cast<int>(integer(request, "priority", 0, -1000, 1000));
}

std::vector<std::string> names_of_outputs(const ModelInferRequest& request, const std::vector<TensorInfo>& known) {
  std::vector<std::string> names;
  for (const auto& output : request.outputs()) names.push_back(output.name());
  check_output_names(known, names);
  return names;
}

Response infer_answer(const LoadedModel& model, std::vector<InferTensor> tensors, const std::string& id) {
  ModelInferResponse response;
  response.set_model_name(model.name());
  response.set_model_version(std::to_string(model.version()));
  response.set_id(id);
  for (InferTensor& tensor : tensors) {
    auto& output = *response.add_outputs();
    output.set_name(tensor.name);
    output.set_datatype(tensor.datatype);
    output.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    response.add_raw_output_contents(std::move(tensor.data));
  }
  return answer_of(response);
}

void infer_items(const PredictorPointer& model, const ExchangePointer& exchange, ModelInferRequest& request) {
  Asking asking{.items = items_of(*model, tensors_of(request))};
  asking.work.priority = priority_of(request);
  int64_t horizon = model->horizon();
  if (model->series() != nullptr) horizon = integer(request, "horizon", horizon, 1, horizon);
  ask(model, exchange, std::move(asking), grpc_error,
      [model, horizon, names = names_of_outputs(request, predictor_outputs(*model)),
       id = request.id()](Predicted& predicted) {
        cut_forecasts(predicted, horizon);
        return infer_answer(*model, prediction_outputs(*model, predicted, names), id);
      });
}

}  // namespace

void call_model_infer(const Service& service, const ExchangePointer& exchange) {
  const auto request = std::make_shared<ModelInferRequest>(message_of<ModelInferRequest>(exchange));
  const auto any = any_of_version(service, request->model_name(), request->model_version());
  exchange->counts_for(any->name());
  if (const auto predictor = std::dynamic_pointer_cast<PredictingModel>(any)) {
    return beside(service, exchange, grpc_error, [=] { infer_items(predictor, exchange, *request); });
  }
  const ModelPointer model = service.models.get(request->model_name());
  Question question = question_of(*model, tensors_of(*request));
  question.truncate = flag(*request, "truncate");
  question.work.priority = priority_of(*request);
  ask(model, exchange, std::move(question), grpc_error,
      [model, names = names_of_outputs(*request, model_outputs(*model)), id = request->id()](const Answers& answers) {
        return infer_answer(*model, outputs_of(*model, answers, names), id);
      });
}

std::string in_infer_stream(const Request& request, Response response) {
  inference::ModelStreamInferResponse out;
  if (response.status == 200) {  // the bytes of the answer, with the head that a field has
    std::string bytes;
    {
      google::protobuf::io::StringOutputStream stream(&bytes);
      google::protobuf::io::CodedOutputStream coded(&stream);
      coded.WriteTag(inference::ModelStreamInferResponse::kInferResponseFieldNumber << 3 | 2);  // length-delimited
      coded.WriteVarint32(static_cast<uint32_t>(response.body.size()));
    }
    return bytes + response.body;
  }
  ModelInferRequest asked;
  if (asked.ParseFromString(request.body)) out.mutable_infer_response()->set_id(asked.id());
  out.set_error_message(response.body);
  return out.SerializeAsString();
}

}  // namespace suanli::serve
