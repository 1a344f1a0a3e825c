/// The routes of the recommendation application.
#pragma once

#include <memory>

#include "apps/recommendation.h"
#include "serve/openapi.h"

namespace suanli::apps {

/// Reads texts by the served model of embeddings called `encoder`, waiting for it: for the start of the server.
Recommender::ReadText served_text_reader(const serve::Service& service, const std::string& encoder);

/// POST /v1/recommendations, /v1/recommendations/items (scope admin: everybody sees what it adds) and
/// /v1/recommendations/feedback. `encoder` is the served model that reads the texts of new items.
void add_recommendation_routes(serve::Router& router, const serve::Service& service,
                               std::shared_ptr<Recommender> recommender, const std::string& encoder);

/// What the page of OpenAPI says of them.
std::vector<serve::ApplicationRoute> recommendation_openapi();

}  // namespace suanli::apps
