#include "serve/fault.h"

#include <algorithm>

#include "base/json_text.h"
#include "base/utf8.h"

namespace suanli::serve {

int status_of(Fault fault) {
  switch (fault) {
    case Fault::invalid:
    case Fault::empty:
    case Fault::tokenizer:
      return 400;
    case Fault::unauthorized:
      return 401;
    case Fault::forbidden:
      return 403;
    case Fault::not_found:
      return 404;
    case Fault::method:
      return 405;
    case Fault::too_slow:
      return 408;
    case Fault::too_large:
      return 413;
    case Fault::long_target:
      return 414;
    case Fault::media_type:
      return 415;
    case Fault::overloaded:
      return 429;
    case Fault::long_head:
      return 431;
    case Fault::backend:
      return 500;
    case Fault::unhealthy:
      return 503;
    case Fault::expired:
      return 504;
    case Fault::version:
      return 505;
  }
  return 500;
}

void append_message(std::string& body, std::string_view message) {
  append_string(body, message.substr(0, std::min(message.size(), find_invalid_utf8(message))));
}

Response plain_error(Fault fault, std::string_view message) {
  Response response{.status = status_of(fault)};
  response.body = "{\"error\":";
  append_message(response.body, message);
  response.body += '}';
  return response;
}

RequestError ending_error(infer::Ending ending, const std::string& message) {
  switch (ending) {
    case infer::Ending::refused:
      return {Fault::overloaded, "the queue is full; try again later", 1};
    case infer::Ending::expired:
      return {Fault::expired, "the deadline passed before the model was free"};
    case infer::Ending::cancelled:
      return {Fault::expired, "the client has gone"};
    case infer::Ending::stopped:
      return {Fault::unhealthy, "the model is about to end"};
    default:
      return {Fault::backend, "the model failed: " + message};
  }
}

Response error_answer(ErrorForm form, const RequestError& error) {
  Response response = form(error.fault, error.what());
  if (error.fault == Fault::unauthorized) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after));
  return response;
}

}  // namespace suanli::serve
