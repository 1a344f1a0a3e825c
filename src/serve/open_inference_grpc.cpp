#include "serve/open_inference_grpc.h"

#include "inference.pb.h"
#include "serve/ask.h"
#include "serve/grpc_message.h"
#include "serve/open_inference.h"

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

void read_parameters(const ModelInferRequest& request, Question& question) {
  const auto& all = request.parameters();
  if (const auto found = all.find("truncate"); found != all.end()) {
    if (!found->second.has_bool_param()) {
      throw RequestError(Fault::invalid, "\"truncate\": expected true or false");
    }
    question.truncate = found->second.bool_param();
  }
  if (const auto found = all.find("priority"); found != all.end()) {
    const auto& value = found->second;
    const int64_t priority = value.has_uint64_param()
                                 ? static_cast<int64_t>(std::min<uint64_t>(value.uint64_param(), 1001))
                             : value.has_int64_param() ? value.int64_param()
                                                       : 1001;
    if (priority < -1000 || priority > 1000) {
      throw RequestError(Fault::invalid, "\"priority\": expected an integer from -1000 to 1000");
    }
    question.work.priority = static_cast<int>(priority);
  }
}

Response infer_answer(const ServedModel& model, const Answers& answers, const std::vector<std::string>& names,
                      const std::string& id) {
  ModelInferResponse response;
  response.set_model_name(model.name());
  response.set_model_version(std::to_string(model.version()));
  response.set_id(id);
  for (InferTensor& tensor : outputs_of(model, answers, names)) {
    auto& output = *response.add_outputs();
    output.set_name(tensor.name);
    output.set_datatype(tensor.datatype);
    output.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    response.add_raw_output_contents(std::move(tensor.data));
  }
  return answer_of(response);
}

void call_model_infer(const Service& service, const ExchangePointer& exchange) {
  auto request = message_of<ModelInferRequest>(exchange);
  const ModelPointer model = model_of_version(service, request.model_name(), request.model_version());
  exchange->counts_for(model->name());
  Question question = question_of(*model, tensors_of(request));
  read_parameters(request, question);
  std::vector<std::string> names;
  for (const auto& output : request.outputs()) names.push_back(output.name());
  check_output_names(*model, names);
  ask(model, exchange, std::move(question), grpc_error,
      [model, names = std::move(names), id = request.id()](const Answers& answers) {
        return infer_answer(*model, answers, names, id);
      });
}

void call_server_live(const Service&, const ExchangePointer& exchange) {
  inference::ServerLiveResponse response;
  response.set_live(true);
  exchange->answer(answer_of(response));
}

void call_server_ready(const Service& service, const ExchangePointer& exchange) {
  inference::ServerReadyResponse response;
  response.set_ready(service.ready() && !service.models.loaded().empty());
  exchange->answer(answer_of(response));
}

void call_model_ready(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<inference::ModelReadyRequest>(exchange);
  inference::ModelReadyResponse response;
  response.set_ready(model_is_ready(service, request.name()));
  exchange->answer(answer_of(response));
}

void call_server_metadata(const Service&, const ExchangePointer& exchange) {
  inference::ServerMetadataResponse response;
  response.set_name("suanli");
  response.set_version(SUANLI_VERSION);
  for (const char* extension : {"model_repository", "statistics"}) response.add_extensions(extension);
  exchange->answer(answer_of(response));
}

void call_model_metadata(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<inference::ModelMetadataRequest>(exchange);
  const ModelPointer model = model_of_version(service, request.name(), request.version());
  inference::ModelMetadataResponse response;
  response.set_name(model->name());
  response.add_versions(std::to_string(model->version()));
  response.set_platform("suanli");
  const auto fill = [](inference::ModelMetadataResponse::TensorMetadata& out, const TensorInfo& info) {
    out.set_name(info.name);
    out.set_datatype(info.datatype);
    out.mutable_shape()->Add(info.shape.begin(), info.shape.end());
  };
  for (const TensorInfo& info : model_inputs(*model)) fill(*response.add_inputs(), info);
  for (const TensorInfo& info : model_outputs(*model)) fill(*response.add_outputs(), info);
  exchange->answer(answer_of(response));
}

void fill_statistics(inference::ModelStatistics& out, const ServedModel& model) {
  const ModelCounts counts = model.counts();
  out.set_name(model.name());
  out.set_version(std::to_string(model.version()));
  out.set_last_inference(static_cast<uint64_t>(counts.last_ms));
  out.set_inference_count(static_cast<uint64_t>(counts.sequences));
  out.set_execution_count(static_cast<uint64_t>(counts.batches));
  auto& parts = *out.mutable_inference_stats();
  const auto fill = [](inference::StatisticDuration& part, int64_t count, int64_t ns) {
    part.set_count(static_cast<uint64_t>(count));
    part.set_ns(static_cast<uint64_t>(ns));
  };
  fill(*parts.mutable_success(), counts.success, counts.success_ns);
  fill(*parts.mutable_fail(), counts.fail, counts.fail_ns);
  fill(*parts.mutable_queue(), counts.success, counts.queue_ns);
  fill(*parts.mutable_compute_input(), counts.success, counts.tokenization_ns);
  fill(*parts.mutable_compute_infer(), counts.success, counts.compute_ns);
  fill(*parts.mutable_compute_output(), counts.success, 0);
}

void call_model_statistics(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<inference::ModelStatisticsRequest>(exchange);
  inference::ModelStatisticsResponse response;
  if (!request.name().empty()) {
    fill_statistics(*response.add_model_stats(), *model_of_version(service, request.name(), request.version()));
    return exchange->answer(answer_of(response));
  }
  for (const auto& loaded : service.models.loaded()) {
    const auto model = std::dynamic_pointer_cast<ServedModel>(loaded);
    if (model) fill_statistics(*response.add_model_stats(), *model);
  }
  exchange->answer(answer_of(response));
}

void call_repository_index(const Service& service, const ExchangePointer& exchange) {
  const bool ready_alone = message_of<inference::RepositoryIndexRequest>(exchange).ready();
  inference::RepositoryIndexResponse response;
  for (const auto& entry : service.models.index()) {
    if (ready_alone && !entry.ready) continue;
    auto& model = *response.add_models();
    model.set_name(entry.name);
    model.set_version(std::to_string(entry.version));
    model.set_state(entry.ready ? "READY" : "UNAVAILABLE");
    model.set_reason(entry.reason);
  }
  exchange->answer(answer_of(response));
}

void call_repository_model_load(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<inference::RepositoryModelLoadRequest>(exchange);
  load_in_background(service, exchange, request.model_name(), grpc_error,
                     answer_of(inference::RepositoryModelLoadResponse()));
}

void call_repository_model_unload(const Service& service, const ExchangePointer& exchange) {
  const std::string name = message_of<inference::RepositoryModelUnloadRequest>(exchange).model_name();
  service.models.unload(name);
  exchange->counts_for(name);
  exchange->answer(answer_of(inference::RepositoryModelUnloadResponse()));
}

}  // namespace

void add_open_inference_methods(Methods& methods, const Service& service) {
  using Action = void (*)(const Service&, const ExchangePointer&);
  const auto add = [&](const std::string& name, Scope scope, Action action) {
    methods.all["/inference.GRPCInferenceService/" + name] = {
        .scope = scope, .handler = [service, action](const ExchangePointer& exchange) { action(service, exchange); }};
  };
  add("ServerLive", Scope::open, call_server_live);
  add("ServerReady", Scope::open, call_server_ready);
  add("ModelReady", Scope::open, call_model_ready);
  add("ServerMetadata", Scope::infer, call_server_metadata);
  add("ModelMetadata", Scope::infer, call_model_metadata);
  add("ModelInfer", Scope::infer, call_model_infer);
  add("ModelStatistics", Scope::metrics, call_model_statistics);
  add("RepositoryIndex", Scope::infer, call_repository_index);
  add("RepositoryModelLoad", Scope::admin, call_repository_model_load);
  add("RepositoryModelUnload", Scope::admin, call_repository_model_unload);
}

}  // namespace suanli::serve
