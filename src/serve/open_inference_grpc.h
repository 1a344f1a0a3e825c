/// The Open Inference Protocol, version 2, over gRPC, with the extensions that Triton's clients call.
#pragma once

#include "serve/grpc_server.h"
#include "serve/service.h"

namespace suanli::serve {

/// inference.GRPCInferenceService.
void add_open_inference_methods(Methods& methods, const Service& service);

}  // namespace suanli::serve
