/// grpc.reflection.v1.ServerReflection, and the same as v1alpha: what the server has, for clients that know nothing of
/// it.
#pragma once

#include "serve/grpc_server.h"

namespace suanli::serve {

/// Tells of the services that `methods` has when it is asked.
void add_reflection_methods(Methods& methods);

}  // namespace suanli::serve
