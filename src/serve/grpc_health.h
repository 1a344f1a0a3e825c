/// grpc.health.v1.Health: what load balancers and probes ask.
#pragma once

#include "serve/grpc_server.h"
#include "serve/service.h"

namespace suanli::serve {

/// Check and Watch, of "" (the server), of a service, and of a model by its name.
void add_health_methods(Methods& methods, const Service& service);

}  // namespace suanli::serve
