#include "serve/grpc_status.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/utf8.h"
#include "rpc_status.pb.h"

namespace suanli::serve {

namespace {

constexpr std::pair<int, grpc::StatusCode> kCodes[] = {
    {200, grpc::StatusCode::OK},
    {400, grpc::StatusCode::INVALID_ARGUMENT},
    {401, grpc::StatusCode::UNAUTHENTICATED},
    {403, grpc::StatusCode::PERMISSION_DENIED},
    {404, grpc::StatusCode::NOT_FOUND},
    {405, grpc::StatusCode::UNIMPLEMENTED},
    {408, grpc::StatusCode::DEADLINE_EXCEEDED},
    {413, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {429, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {431, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {500, grpc::StatusCode::INTERNAL},
    {503, grpc::StatusCode::UNAVAILABLE},
    {504, grpc::StatusCode::DEADLINE_EXCEEDED},
};

// A message travels in a header, of which a client takes 8 KiB.
constexpr size_t kMessageBytes = 1024;

}  // namespace

grpc::StatusCode code_of(int http_status) {
  for (const auto& [status, code] : kCodes) {
    if (status == http_status) return code;
  }
  return grpc::StatusCode::INTERNAL;
}

Response grpc_error(Fault fault, std::string_view message) {
  message = message.substr(0, kMessageBytes);
  return {.status = status_of(fault), .body = std::string(message.substr(0, find_invalid_utf8(message)))};
}

int64_t retry_after(const Response& response) {
  int64_t wait = 0;
  for (const auto& [name, value] : response.headers) {
    if (name == "Retry-After") std::from_chars(value.data(), value.data() + value.size(), wait);
  }
  return wait;
}

grpc::Status status_of(const Response& response) {
  const grpc::StatusCode code = code_of(response.status);
  const int64_t wait = retry_after(response);
  if (wait == 0) return {code, code == grpc::StatusCode::OK ? "" : response.body};
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(wait);
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(response.body);
  status.add_details()->PackFrom(retry);
  return {code, response.body, status.SerializeAsString()};
}

}  // namespace suanli::serve
