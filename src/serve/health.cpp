#include "serve/service.h"

namespace suanli::serve {

void add_health_routes(Router& router, const Service& service) {
  const auto health = [service](const ExchangePointer& exchange) {
    if (!service.ready() || service.models.loaded().empty()) {
      throw RequestError(Fault::unhealthy, "no model is ready");
    }
    exchange->answer({.status = 200, .body = "", .content_type = ""});
  };
  router.add({.method = "GET", .pattern = "/health", .scope = Scope::open, .handler = health});
  router.add({.method = "GET", .pattern = "/ping", .scope = Scope::open, .handler = health});
}

}  // namespace suanli::serve
