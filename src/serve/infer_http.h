/// POST .../infer of the Open Inference Protocol: tensors in JSON, or as bytes behind it, to questions and back.
#pragma once

#include "serve/service.h"

namespace suanli::serve {

/// Answers the model of the path. Throws RequestError.
void infer_route(const Service& service, const ExchangePointer& exchange);

}  // namespace suanli::serve
