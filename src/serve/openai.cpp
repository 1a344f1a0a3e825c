#include <ctime>

#include "base/json_text.h"
#include "serve/ask.h"
#include "serve/embedding.h"
#include "serve/fields.h"
#include "serve/openai.h"
#include "serve/service.h"

namespace suanli::serve {

Response openai_error(Fault fault, std::string_view message) {
  Response response{.status = status_of(fault)};
  const char* type = fault == Fault::unauthorized ? "authentication_error"
                     : fault == Fault::forbidden  ? "permission_error"
                     : fault == Fault::overloaded ? "rate_limit_error"
                     : status_of(fault) >= 500    ? "server_error"
                                                  : "invalid_request_error";
  response.body = "{\"error\":{\"message\":";
  append_message(response.body, message);
  response.body += std::string(",\"type\":\"") + type + "\",\"param\":null,\"code\":null}}";
  return response;
}

std::string openai_model(const Service& service, const Json& body) {
  const std::string name = string_field(body, "model", "");
  return service.models.index().size() == 1 ? "" : name;
}

namespace {

void embeddings(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = service.models.get(openai_model(service, body));
  if (model->kind() != ModelKind::embedding) throw RequestError(Fault::invalid, "this model does not embed texts");
  bool single = false;
  Question question{.inputs = inputs_of(body, "input", single), .output = infer::Output::embedding};
  question.truncate = bool_field(body, "truncate", false);
  const std::string format = string_field(body, "encoding_format", "float");
  if (format != "float" && format != "base64") wrong_field("encoding_format", "float or base64");
  const int64_t width = model->config().hidden_size;
  const auto dimensions = static_cast<size_t>(integer_field(body, "dimensions", width, 1, width));
  ask(model, exchange, std::move(question), openai_error,
      [name = model->name(), dimensions, base64 = format == "base64"](const Answers& answers) {
        std::string out = R"({"object":"list","data":[)";
        for (size_t i = 0; i < answers.rows.size(); ++i) {
          const auto embedding = embedding_of(answers.rows[i], dimensions, true);
          out += i > 0 ? "," : "";
          out += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
          base64 ? append_string(out, base64_of(embedding)) : append_numbers(out, embedding);
          out += '}';
        }
        const std::string tokens = std::to_string(answers.tokens);
        out +=
            R"(],"model":")" + name + R"(","usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
        return Response{.body = std::move(out)};
      });
}

std::string described(const std::string& name, int64_t created) {
  return R"({"id":")" + name + R"(","object":"model","created":)" + std::to_string(created) +
         R"(,"owned_by":"suanli"})";
}

}  // namespace

void add_openai_routes(Router& router, const Service& service) {
  const int64_t created = std::time(nullptr);
  const auto embed = [service](const ExchangePointer& exchange) { embeddings(service, exchange); };
  for (const char* pattern : {"/v1/embeddings", "/embeddings"}) {
    router.add({.method = "POST", .pattern = pattern, .scope = Scope::infer, .handler = embed, .error = openai_error});
  }
  router.add({.method = "GET",
              .pattern = "/v1/models",
              .scope = Scope::infer,
              .handler =
                  [service, created](const ExchangePointer& exchange) {
                    std::string out = R"({"object":"list","data":[)";
                    for (const auto& model : service.models.loaded()) {
                      if (out.back() != '[') out += ',';
                      out += described(model->name(), created);
                    }
                    exchange->answer({.body = out + "]}"});
                  },
              .error = openai_error});
  router.add({.method = "GET",
              .pattern = "/v1/models/{model}",
              .scope = Scope::infer,
              .handler =
                  [service, created](const ExchangePointer& exchange) {
                    const auto model = service.models.any(exchange->request().parameters[0]);
                    exchange->answer({.body = described(model->name(), created)});
                  },
              .error = openai_error});
}

}  // namespace suanli::serve
