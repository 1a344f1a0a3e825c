/// text-embeddings-inference over gRPC: its services of tei.v1, as its routes answer over HTTP.
#pragma once

#include "serve/grpc_server.h"
#include "serve/service.h"

namespace suanli::serve {

/// Info, Embed, Predict, Rerank and Tokenize. A stream's error ends it, as theirs does.
void add_tei_methods(Methods& methods, const Service& service);

}  // namespace suanli::serve
