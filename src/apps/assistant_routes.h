/// The HTTP of customer service, over any models that can classify, embed and rank.
#pragma once

#include <functional>
#include <memory>

#include "apps/ask.h"
#include "apps/assistant.h"
#include "serve/openapi.h"

namespace suanli::apps {

struct AssistantModels {
  Ask<std::string, std::vector<double>> classify = {};  ///< a score in 0..1 for each intent; may be missing
  Ask<std::string, std::vector<float>> embed;           ///< a vector of length 1
  /// Scores in 0..1 of texts for a question, by a cross-encoder; may be missing.
  Ask<std::pair<std::string, std::vector<std::string>>, std::vector<double>> rank = {};
};

/// Names of the models in the repository; "" for one that is missing.
struct AssistantModelNames {
  std::string encoder, intents, ranker;
};

/// `encoder_fits`: whether the encoder's folder is the one that the index was made with. It is asked in the background
/// when the encoder has been loaded anew, and messages get 503 until it has said yes.
AssistantModels served_assistant_models(const serve::Service& service, const AssistantModelNames& names,
                                        std::function<bool()> encoder_fits);

/// POST /v1/assistant/messages {"session"?, "text"}
void add_assistant_routes(serve::Router& router, std::shared_ptr<const Assistant> assistant, AssistantModels models);

/// What the page of OpenAPI says of it.
std::vector<serve::ApplicationRoute> assistant_openapi(const AssistantOptions& options);

}  // namespace suanli::apps
