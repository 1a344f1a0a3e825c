#include "serve/fields.h"
#include "serve/hub.h"
#include "serve/tei.h"

namespace suanli::serve {

namespace {

void info(const Service& service, const ExchangePointer& exchange) {
  const auto all = service.models.loaded();
  if (all.empty()) throw RequestError(Fault::unhealthy, "no model is ready");
  const ModelPointer model = service.models.get(all.front()->name());
  Json type;
  if (model->kind() == ModelKind::embedding) {
    type["embedding"]["pooling"] = model->model().pooling.mean ? "mean" : "cls";
  } else {
    const auto& labels = model->config().labels;
    Json names = {{"id2label", Json::object()}, {"label2id", Json::object()}};
    for (size_t i = 0; i < labels.size(); ++i) {
      names["id2label"][std::to_string(i)] = labels[i];
      names["label2id"][labels[i]] = i;
    }
    type[labels.size() == 1 ? "reranker" : "classifier"] = names;
  }
  const Json out = {{"model_id", model->name()},
                    {"model_sha", nullptr},
                    {"model_dtype", model->precision()},
                    {"model_type", type},
                    {"max_concurrent_requests", service.limits.in_flight},
                    {"max_input_length", model->max_length()},
                    {"max_batch_tokens", service.limits.tokens_per_batch},
                    {"max_batch_requests", nullptr},
                    {"max_client_batch_size", service.limits.items_per_request},
                    {"auto_truncate", false},
                    {"tokenization_workers", 1},
                    {"version", SUANLI_VERSION},
                    {"sha", nullptr},
                    {"docker_label", nullptr}};
  exchange->answer({.body = out.dump()});
}

}  // namespace

void add_embedding_routes(Router& router, const Service& service) {
  using Action = void (*)(const Service&, const ExchangePointer&);
  const auto add = [&](const char* method, const char* pattern, Action action) {
    router.add({.method = method,
                .pattern = pattern,
                .scope = Scope::infer,
                .handler = [service, action](const ExchangePointer& exchange) { action(service, exchange); },
                .error = tei_error});
  };
  add("POST", "/embed", embed);
  add("POST", "/embed_all", embed_all);
  add("POST", "/predict", [](const Service& all, const ExchangePointer& one) { predict_texts(all, one, false); });
  add("POST", "/rerank", rerank);
  add("POST", "/v1/rerank", rerank);
  add("POST", "/similarity", similarity);
  add("POST", "/tokenize", tokenize);
  add("POST", "/decode", decode);
  add("GET", "/info", info);
  // What the model is for, and what Hugging Face's client asks of it.
  router.add({.method = "POST",
              .pattern = "/",
              .scope = Scope::infer,
              .handler = [service](const ExchangePointer& exchange) { answer_hub(service, exchange, tei_error); },
              .error = tei_error,
              .body = BodyKind::binary});
}

void answer_hub_texts(const Service& all, const ExchangePointer& exchange) {
  const ModelPointer model = all.models.get("");
  if (exchange->request().body.size() > all.limits.json_bytes) {
    throw RequestError(Fault::too_large, "the body is too long");
  }
  if (model->kind() == ModelKind::classification) {
    return model->config().labels.size() == 1 ? rerank(all, exchange) : predict_texts(all, exchange, true);
  }
  if (model->kind() != ModelKind::embedding) return hub_pipeline(all, exchange, model, tei_error);
  const Json body = read_body(exchange->request());
  const Json* inputs = field(body, "inputs");
  inputs != nullptr && inputs->is_object() ? similarity(all, exchange) : embed(all, exchange);
}

}  // namespace suanli::serve
