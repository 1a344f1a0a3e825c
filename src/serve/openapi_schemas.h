/// The schemas that openapi.cpp refers to by name.
#pragma once

namespace suanli::serve {

/// JSON: {name: schema}, without the limits that a server is started with.
extern const char* const kOpenapiSchemas;

}  // namespace suanli::serve
