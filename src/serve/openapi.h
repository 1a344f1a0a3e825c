/// The routes of this server as a page of OpenAPI 3.0, for clients and tools that are made from one.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "serve/service.h"

namespace suanli::serve {

/// A route that an application has beside those of every server; its errors are plain ones.
struct ApplicationRoute {
  std::string method, path, summary;  ///< method in lower case
  Json request, answer;               ///< schemas; request null: no body
};

/// Requests, answers and errors of every route, with the limits of this server.
Json openapi_page(const Limits& limits, const std::vector<ApplicationRoute>& more = {});

/// GET /api-doc/openapi.json
void add_openapi_route(Router& router, const Service& service, const std::vector<ApplicationRoute>& more = {});

}  // namespace suanli::serve
