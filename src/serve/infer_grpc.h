/// ModelInfer and ModelStreamInfer of the Open Inference Protocol over gRPC: messages to questions and back.
#pragma once

#include "serve/service.h"

namespace suanli::serve {

/// Answers a ModelInferRequest with a ModelInferResponse. Throws RequestError.
void call_model_infer(const Service& service, const ExchangePointer& exchange);

/// The answer to one request of a stream as a ModelStreamInferResponse, an error with the id of its request.
std::string in_infer_stream(const Request& request, Response response);

}  // namespace suanli::serve
