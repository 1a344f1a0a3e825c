#include "serve/fields.h"
#include "serve/infer_http.h"
#include "serve/open_inference.h"
#include "serve/prediction_tensors.h"

namespace suanli::serve {

std::shared_ptr<LoadedModel> any_of_path(const Service& service, const Request& request) {
  const bool has_version = request.parameters.size() > 1;
  return any_of_version(service, request.parameters[0], has_version ? request.parameters[1] : "");
}

ModelPointer model_of_path(const Service& service, const Request& request) {
  any_of_path(service, request);
  return service.models.get(request.parameters[0]);
}

namespace {

Json described(const std::vector<TensorInfo>& tensors) {
  Json out = Json::array();
  for (const TensorInfo& tensor : tensors) {
    out.push_back({{"name", tensor.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}});
  }
  return out;
}

void model_metadata(const Service& service, const ExchangePointer& exchange) {
  const auto model = any_of_path(service, exchange->request());
  const auto predictor = std::dynamic_pointer_cast<PredictingModel>(model);
  const ModelPointer texts = predictor ? nullptr : model_of_path(service, exchange->request());
  const Json out = {{"name", model->name()},
                    {"versions", {std::to_string(model->version())}},
                    {"platform", "suanli"},
                    {"inputs", described(predictor ? predictor_inputs(*predictor) : model_inputs(*texts))},
                    {"outputs", described(predictor ? predictor_outputs(*predictor) : model_outputs(*texts))}};
  exchange->answer({.body = out.dump()});
}

void model_ready(const Service& service, const ExchangePointer& exchange) {
  const std::string& name = exchange->request().parameters[0];
  const bool ready = model_is_ready(service, name);
  exchange->answer({.status = ready ? 200 : 503, .body = Json({{"name", name}, {"ready", ready}}).dump()});
}

void model_statistics(const Service& service, const ExchangePointer& exchange) {
  const auto model = any_of_path(service, exchange->request());
  const ModelCounts counts = model->counts();
  const auto part = [](int64_t count, int64_t ns) { return Json({{"count", count}, {"ns", ns}}); };
  const Json stats = {{"success", part(counts.success, counts.success_ns)},
                      {"fail", part(counts.fail, counts.fail_ns)},
                      {"queue", part(counts.success, counts.queue_ns)},
                      {"compute_input", part(counts.success, counts.tokenization_ns)},
                      {"compute_infer", part(counts.success, counts.compute_ns)},
                      {"compute_output", part(counts.success, 0)}};
  const Json out = {{"model_stats",
                     {{{"name", model->name()},
                       {"version", std::to_string(model->version())},
                       {"last_inference", counts.last_ms},
                       {"inference_count", counts.sequences},
                       {"execution_count", counts.batches},
                       {"inference_stats", stats},
                       {"batch_stats", Json::array()}}}}};
  exchange->answer({.body = out.dump()});
}

void server_metadata(const Service&, const ExchangePointer& exchange) {
  exchange->answer({.body = Json({{"name", "suanli"},
                                  {"version", SUANLI_VERSION},
                                  {"extensions", {"binary_tensor_data", "model_repository", "statistics"}}})
                                .dump()});
}

void server_ready(const Service& service, const ExchangePointer& exchange) {
  const bool ready = service.ready() && !service.models.loaded().empty();
  exchange->answer({.status = ready ? 200 : 503, .body = Json({{"live", true}, {"ready", ready}}).dump()});
}

void repository_index(const Service& service, const ExchangePointer& exchange) {
  Json out = Json::array();
  for (const auto& entry : service.models.index()) {
    out.push_back({{"name", entry.name},
                   {"version", std::to_string(entry.version)},
                   {"state", entry.ready ? "READY" : "UNAVAILABLE"},
                   {"reason", entry.reason}});
  }
  exchange->answer({.body = out.dump()});
}

void load_model(const Service& service, const ExchangePointer& exchange) {
  load_in_background(service, exchange, exchange->request().parameters[0], plain_error, {.body = "{}"});
}

void unload_model(const Service& service, const ExchangePointer& exchange) {
  const std::string& name = exchange->request().parameters[0];
  service.models.unload(name);
  exchange->counts_for(name);
  exchange->answer({.body = "{}"});
}

}  // namespace

void add_open_inference_routes(Router& router, const Service& service) {
  using Action = void (*)(const Service&, const ExchangePointer&);
  const auto add = [&](const char* method, const std::string& pattern, Scope scope, Action action,
                       BodyKind body = BodyKind::json) {
    router.add({.method = method,
                .pattern = pattern,
                .scope = scope,
                .handler = [service, action](const ExchangePointer& exchange) { action(service, exchange); },
                .body = body});
  };
  add("GET", "/v2", Scope::infer, server_metadata);
  add("GET", "/v2/health/live", Scope::open,
      [](const Service&, const ExchangePointer& exchange) { exchange->answer({.body = R"({"live":true})"}); });
  add("GET", "/v2/health/ready", Scope::open, server_ready);
  for (const char* model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    const std::string prefix = model;
    add("GET", prefix, Scope::infer, model_metadata);
    add("GET", prefix + "/ready", Scope::open, model_ready);
    add("POST", prefix + "/infer", Scope::infer, infer_route, BodyKind::binary);
    add("GET", prefix + "/stats", Scope::metrics, model_statistics);
  }
  add("POST", "/v2/repository/index", Scope::infer, repository_index);
  add("POST", "/v2/repository/models/{model}/load", Scope::admin, load_model);
  add("POST", "/v2/repository/models/{model}/unload", Scope::admin, unload_model);
}

}  // namespace suanli::serve
