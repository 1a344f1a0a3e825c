/// What the routes of OpenAI share.
#pragma once

#include "base/json.h"
#include "serve/service.h"

namespace suanli::serve {

/// {"error": {"message", "type", "param", "code"}}
Response openai_error(Fault fault, std::string_view message);

/// The name of the model that is meant. Clients must send some name; where there is one model, any names it: "".
std::string openai_model(const Service& service, const Json& body);

}  // namespace suanli::serve
