/// What the routes of a server speak of.
#pragma once

#include <functional>

#include "monitor/alert_history.h"
#include "monitor/price.h"
#include "serve/model_energy.h"
#include "serve/router.h"

namespace suanli::serve {

struct Service {
  Repository& models;
  const Limits& limits;
  monitor::ServiceMetrics& metrics;
  ModelEnergy& energy;
  monitor::PriceTable prices;
  std::function<bool()> ready;  ///< false: the server is about to end
  const monitor::AlertHistory& alerts;
};

/// The model of that name, of any version for "". Throws RequestError where there is none.
std::shared_ptr<LoadedModel> any_of_version(const Service& service, const std::string& name,
                                            const std::string& version);
/// Throws RequestError for a name that is no model's.
bool model_is_ready(const Service& service, const std::string& name);
/// The model that a path names, with its version where the path has one. Throws RequestError where there is none, the
/// second one also for a model that answers no texts.
std::shared_ptr<LoadedModel> any_of_path(const Service& service, const Request& request);
ModelPointer model_of_path(const Service& service, const Request& request);

/// GET /health, /ping.
void add_health_routes(Router& router, const Service& service);
/// GET /metrics, /v2/alerts, and of a model /drift, /energy, POST /feedback.
void add_watch_routes(Router& router, const Service& service);
/// GET /ui, a page that shows what the routes above say, and its files.
void add_ui_routes(Router& router);
/// As text-embeddings-inference has them: POST /embed, /embed_all, /predict, /rerank, /similarity, /tokenize, /decode
/// and /, GET /info.
void add_embedding_routes(Router& router, const Service& service);
/// As OpenAI has them: POST /v1/embeddings, GET /v1/models and /v1/models/{model}.
void add_openai_routes(Router& router, const Service& service);
/// As OpenAI has them: POST /v1/completions and /v1/chat/completions, streamed where asked.
void add_completion_routes(Router& router, const Service& service);
/// POST /v2/models/{model}/predict and KServe's /v1/models/{model}:predict: JSON in, JSON out, whatever the model is.
void add_prediction_routes(Router& router, const Service& service);
/// POST /v2/models/{model}/explain and KServe's /v1/models/{model}:explain.
void add_explain_routes(Router& router, const Service& service);
/// The Open Inference Protocol, version 2: GET and POST /v2/...
void add_open_inference_routes(Router& router, const Service& service);

}  // namespace suanli::serve
