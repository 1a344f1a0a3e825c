#include "serve/openapi.h"

#include <algorithm>

#include "serve/openapi_schemas.h"

namespace suanli::serve {

namespace {

/// Which errors a route gives, and in whose form.
enum class Api { open, plain, tei, openai };

constexpr const char* kText = "text/plain";
constexpr const char* kHtml = "text/html";
constexpr const char* kAny = "*/*";
constexpr const char* kEvents = "text/event-stream";
constexpr const char* kBinary = "application/octet-stream";

struct Described {
  const char *method, *path, *summary;
  Api api;
  const char *request, *answer;  ///< schemas; request null: no body; answer null: none, or text
  const char* other_type = nullptr;
};

constexpr Described kRoutes[] = {
    {"get", "/health", "200 where a model is ready", Api::open, nullptr, nullptr},
    {"get", "/ping", "200 where a model is ready", Api::open, nullptr, nullptr},
    {"get", "/metrics", "Counts and times as Prometheus reads them", Api::plain, nullptr, nullptr, kText},
    {"get", "/ui", "A page that shows this server", Api::open, nullptr, nullptr, kHtml},
    {"get", "/ui/{file}", "A file of that page", Api::open, nullptr, nullptr, kAny},
    {"get", "/api-doc/openapi.json", "This page", Api::plain, nullptr, "Page"},

    {"post", "/embed", "One embedding a text", Api::tei, "EmbedRequest", "Embeddings"},
    {"post", "/embed_all", "One embedding a token", Api::tei, "EmbedRequest", "TokenEmbeddings"},
    {"post", "/predict", "Scores of the labels", Api::tei, "PredictRequest", "Predictions"},
    {"post", "/rerank", "Texts by their score for a query", Api::tei, "RerankRequest", "Ranks"},
    {"post", "/v1/rerank", "Texts by their score for a query", Api::tei, "RerankRequest", "Ranks"},
    {"post", "/similarity", "Cosines of texts to one, which counts, too", Api::tei, "SimilarityRequest", "Embedding"},
    {"post", "/tokenize", "The tokens of texts", Api::tei, "TokenizeRequest", "TokenLists"},
    {"post", "/decode", "The texts of tokens", Api::tei, "DecodeRequest", "Texts"},
    {"get", "/info", "The model and its limits", Api::tei, nullptr, "Info"},
    {"post", "/", "What the model is for", Api::tei, "AnyRequest", "AnyAnswer"},

    {"post", "/v1/embeddings", "Embeddings of length 1", Api::openai, "OpenaiEmbedRequest", "OpenaiEmbeddings"},
    {"post", "/embeddings", "Embeddings of length 1", Api::openai, "OpenaiEmbedRequest", "OpenaiEmbeddings"},
    {"get", "/v1/models", "The models that are loaded", Api::openai, nullptr, "OpenaiModels"},
    {"get", "/v1/models/{model}", "One of them", Api::openai, nullptr, "OpenaiModel"},
    {"post", "/v1/completions", "Texts that go on", Api::openai, "CompletionRequest", "Completion", kEvents},
    {"post", "/v1/chat/completions", "Answers in a chat", Api::openai, "ChatRequest", "ChatCompletion", kEvents},

    {"get", "/v2", "The server", Api::plain, nullptr, "Server"},
    {"get", "/v2/health/live", "Whether it lives", Api::open, nullptr, "Live"},
    {"get", "/v2/health/ready", "Whether a model is ready", Api::open, nullptr, "Ready"},
    {"get", "/v2/models/{model}", "Inputs and outputs", Api::plain, nullptr, "Model"},
    {"get", "/v2/models/{model}/ready", "Whether it is ready", Api::open, nullptr, "ModelReady"},
    {"post", "/v2/models/{model}/infer", "Tensors for tensors", Api::plain, "InferRequest", "InferAnswer", kBinary},
    {"get", "/v2/models/{model}/stats", "Counts and times", Api::plain, nullptr, "Statistics"},
    {"get", "/v2/models/{model}/drift", "What it sees beside its training data", Api::plain, nullptr, "Drift"},
    {"get", "/v2/models/{model}/energy", "Its part of the energy by its tokens", Api::plain, nullptr, "Energy"},
    {"post", "/v2/models/{model}/feedback", "The truth about an answer", Api::plain, "Label", "Accuracy"},
    {"get", "/v2/alerts", "Alerts that fire, and those before", Api::plain, nullptr, "Alerts"},
    {"post", "/v2/repository/index", "All models", Api::plain, nullptr, "RepositoryIndex"},
    {"post", "/v2/models/{model}/predict", "What the model says of texts, rows, pictures or series", Api::plain,
     "InstancesRequest", "InstancesAnswer"},
    {"post", "/v2/models/{model}/explain", "Which tokens or columns an answer rests on", Api::plain, "ExplainRequest",
     "Explanations"},
    {"post", "/v1/models/{model}:explain", "The same, as KServe asks it", Api::plain, "ExplainRequest", "Explanations"},
    {"post", "/v1/models/{model}:predict", "The same, as KServe asks it", Api::plain, "InstancesRequest",
     "InstancesAnswer"},
    {"post", "/v2/repository/models/{model}/load", "Loads its folder anew", Api::plain, nullptr, "Empty"},
    {"post", "/v2/repository/models/{model}/unload", "Lets it go", Api::plain, nullptr, "Empty"},
};

Json reference(const char* schema) { return {{"$ref", std::string("#/components/schemas/") + schema}}; }

Json in_json(const Json& schema) { return {{"application/json", {{"schema", schema}}}}; }

const char* error_schema(Api api) {
  return api == Api::tei ? "TeiError" : api == Api::openai ? "OpenaiError" : "PlainError";
}

/// What can go wrong with `route`. A head that is wrong, or finds no route, is refused in no API's form.
void add_errors(Json& responses, const Described& route) {
  const auto add = [&](Fault fault, const char* meaning, std::vector<const char*> schemas) {
    if (route.api == Api::tei && fault == Fault::backend) return;  // 424
    Json schema = reference(schemas.front());
    const bool one_form = route.api == Api::open || route.api == Api::plain;
    if (schemas.size() > 1 && !one_form) schema = {{"anyOf", {schema, reference(schemas[1])}}};
    responses[std::to_string(status_of(fault))] = {{"description", meaning}, {"content", in_json(schema)}};
  };
  const char* own = error_schema(route.api);
  add(Fault::invalid, "not HTTP, a wrong header, or a wrong field", {own, "PlainError"});
  add(Fault::method, "the path has other methods", {"PlainError"});
  add(Fault::too_slow, "head or body came too slowly", {own, "PlainError"});
  add(Fault::too_large, "the body is too long", {own});
  add(Fault::long_target, "the path is too long", {"PlainError"});
  add(Fault::media_type, "a compressed body", {"PlainError"});
  add(Fault::long_head, "the head is too long", {"PlainError"});
  add(Fault::backend, "the server failed", {own});
  add(Fault::unhealthy, "no model is ready, or the server is about to end", {own});
  add(Fault::version, "not HTTP/1.1", {"PlainError"});
  add(Fault::not_found, "no such path or model", {own, "PlainError"});
  if (route.api == Api::open) return;
  add(Fault::unauthorized, "no key, or an unknown one", {own});
  add(Fault::forbidden, "a key of another scope", {own});
  add(Fault::overloaded, "too many requests; see Retry-After", {own});
  add(Fault::expired, "the deadline has passed: that of the server, or x-request-timeout-ms", {own});
  if (route.api != Api::tei) return;
  for (const auto& [status, meaning] :
       {std::pair{"422", "a wrong field, or too many tokens"}, {"424", "the model failed, or is of another kind"}}) {
    responses[status] = {{"description", meaning}, {"content", in_json(reference(own))}};
  }
}

Json parameters_of(const std::string& path) {
  Json out = Json::array();
  for (const char* name : {"model", "version", "file"}) {
    if (path.find("{" + std::string(name) + "}") == std::string::npos) continue;
    out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  return out;
}

Json operation(const Described& route, const std::string& path) {
  Json answer = {{"description", "the answer"}};
  if (route.answer != nullptr) answer["content"] = in_json(reference(route.answer));
  if (route.other_type != nullptr) answer["content"][route.other_type]["schema"] = {{"type", "string"}};
  Json out = {{"summary", route.summary}, {"responses", {{"200", answer}}}};
  add_errors(out["responses"], route);
  // Health says 503 in the form of its answer.
  if (route.api == Api::open && route.answer != nullptr) out["responses"]["503"]["content"] = answer["content"];
  if (const Json parameters = parameters_of(path); !parameters.empty()) out["parameters"] = parameters;
  if (route.request != nullptr) {
    out["requestBody"] = {{"required", true}, {"content", in_json(reference(route.request))}};
  }
  if (route.api == Api::open) out["security"] = Json::array();
  return out;
}

Json operation(const ApplicationRoute& route) {
  Json out = operation({route.method.c_str(), route.path.c_str(), route.summary.c_str(), Api::plain, nullptr, nullptr},
                       route.path);
  out["responses"]["200"]["content"] = in_json(route.answer);
  if (!route.request.is_null()) out["requestBody"] = {{"required", true}, {"content", in_json(route.request)}};
  return out;
}

}  // namespace

Json openapi_page(const Limits& limits, const std::vector<ApplicationRoute>& more) {
  Json schemas = parse_json(kOpenapiSchemas, "openapi");
  for (const char* list :
       {"/Inputs/anyOf/2", "/DecodeRequest/properties/ids/anyOf/1", "/PredictRequest/allOf/1/properties/inputs/anyOf/2",
        "/RerankTexts/allOf/1/properties/texts", "/RerankDocuments/allOf/1/properties/documents"}) {
    schemas.at(Json::json_pointer(list))["maxItems"] = limits.items_per_request;
  }
  Json& completion = schemas["CompletionOptions"]["properties"];
  completion["max_tokens"]["maximum"] = completion["max_completion_tokens"]["maximum"] = limits.new_tokens;
  completion["n"]["maximum"] = limits.choices;

  Json paths = Json::object();
  for (const Described& route : kRoutes) {
    const std::string path = route.path, model = "/v2/models/{model}";
    paths[path][route.method] = operation(route, path);
    if (!path.starts_with(model)) continue;
    const std::string versioned = model + "/versions/{version}" + path.substr(model.size());
    paths[versioned][route.method] = operation(route, versioned);
  }
  for (const ApplicationRoute& route : more) paths[route.path][route.method] = operation(route);
  const Json info = {
      {"title", "Suanli"}, {"version", SUANLI_VERSION}, {"description", "Models of texts behind three APIs."}};
  const Json schemes = {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
                        {"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}};
  // A server without keys asks for none.
  const Json security = {Json::object(), {{"bearer", Json::array()}}, {{"key", Json::array()}}};
  return {{"openapi", "3.0.3"},
          {"info", info},
          {"paths", paths},
          {"security", security},
          {"components", {{"schemas", schemas}, {"securitySchemes", schemes}}}};
}

void add_openapi_route(Router& router, const Service& service, const std::vector<ApplicationRoute>& more) {
  router.add({.method = "GET",
              .pattern = "/api-doc/openapi.json",
              .scope = Scope::infer,
              .handler = [page = openapi_page(service.limits, more).dump()](const ExchangePointer& exchange) {
                exchange->answer({.body = page});
              }});
}

}  // namespace suanli::serve
