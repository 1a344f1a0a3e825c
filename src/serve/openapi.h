/// The routes of this server as a page of OpenAPI 3.0, for clients and tools that are made from one.
#pragma once

#include "base/json.h"
#include "serve/service.h"

namespace suanli::serve {

/// Requests, answers and errors of every route, with the limits of this server.
Json openapi_page(const Limits& limits);

/// GET /api-doc/openapi.json
void add_openapi_route(Router& router, const Service& service);

}  // namespace suanli::serve
