#include "serve/open_inference_grpc.h"

#include "inference.pb.h"
#include "serve/grpc_message.h"
#include "serve/infer_grpc.h"
#include "serve/open_inference.h"
#include "serve/prediction_tensors.h"

namespace suanli::serve {

namespace {

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
  const auto model = any_of_version(service, request.name(), request.version());
  const auto predictor = std::dynamic_pointer_cast<PredictingModel>(model);
  const ModelPointer texts = predictor ? nullptr : service.models.get(request.name());
  inference::ModelMetadataResponse response;
  response.set_name(model->name());
  response.add_versions(std::to_string(model->version()));
  response.set_platform("suanli");
  const auto fill = [](inference::ModelMetadataResponse::TensorMetadata& out, const TensorInfo& info) {
    out.set_name(info.name);
    out.set_datatype(info.datatype);
    out.mutable_shape()->Add(info.shape.begin(), info.shape.end());
  };
  for (const TensorInfo& info : predictor ? predictor_inputs(*predictor) : model_inputs(*texts)) {
    fill(*response.add_inputs(), info);
  }
  for (const TensorInfo& info : predictor ? predictor_outputs(*predictor) : model_outputs(*texts)) {
    fill(*response.add_outputs(), info);
  }
  exchange->answer(answer_of(response));
}

void fill_statistics(inference::ModelStatistics& out, const LoadedModel& model) {
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
    fill_statistics(*response.add_model_stats(), *any_of_version(service, request.name(), request.version()));
    return exchange->answer(answer_of(response));
  }
  for (const auto& model : service.models.loaded()) fill_statistics(*response.add_model_stats(), *model);
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
  add("ModelStreamInfer", Scope::infer, call_model_infer);
  methods.all["/inference.GRPCInferenceService/ModelStreamInfer"].many = true;
  methods.all["/inference.GRPCInferenceService/ModelStreamInfer"].in_stream = in_infer_stream;
  add("ModelStatistics", Scope::metrics, call_model_statistics);
  add("RepositoryIndex", Scope::infer, call_repository_index);
  add("RepositoryModelLoad", Scope::admin, call_repository_model_load);
  add("RepositoryModelUnload", Scope::admin, call_repository_model_unload);
}

}  // namespace suanli::serve
