/// Answers of HTTP's kind as statuses of gRPC.
#pragma once

#include <grpcpp/support/status.h>

#include "serve/fault.h"

namespace suanli::serve {

/// The code of gRPC that says what a status of HTTP says.
grpc::StatusCode code_of(int http_status);

/// An error whose body is its message; status_of() makes the rest.
Response grpc_error(Fault fault, std::string_view message);

/// OK, or code and message, with a google.rpc.RetryInfo where it makes sense to try again.
grpc::Status status_of(const Response& response);

/// Seconds after which it makes sense to try again; 0: nothing was said.
int64_t retry_after(const Response& response);

}  // namespace suanli::serve
