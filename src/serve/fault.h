/// Why a request gets no answer of a model, and how the plain API says so.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "serve/exchange.h"

namespace suanli::serve {

enum class Fault {
  invalid,       ///< 400
  empty,         ///< 400: nothing to compute
  tokenizer,     ///< 400: the text has no tokens of this model, or too many
  unauthorized,  ///< 401
  forbidden,     ///< 403
  not_found,     ///< 404
  method,        ///< 405
  too_slow,      ///< 408
  too_large,     ///< 413
  long_target,   ///< 414
  media_type,    ///< 415
  overloaded,    ///< 429
  long_head,     ///< 431
  backend,       ///< 500
  unhealthy,     ///< 503
  expired,       ///< 504
  version,       ///< 505
};

int status_of(Fault fault);

/// Thrown by handlers: the answer to the request is this error, in the form of its API.
class RequestError : public std::runtime_error {
 public:
  RequestError(Fault why, const std::string& message, int64_t retry = 0)
      : std::runtime_error(message), fault(why), retry_after(retry) {}
  Fault fault;
  int64_t retry_after;  ///< seconds, where it makes sense to try again
};

/// How an API writes its errors.
using ErrorForm = Response (*)(Fault fault, std::string_view message);

/// Appends `message` as a string of JSON. One that quotes bytes of a request ends before those that are not UTF-8.
void append_message(std::string& body, std::string_view message);

/// {"error": message} with status_of(fault): that of the Open Inference Protocol, and of what belongs to no API.
Response plain_error(Fault fault, std::string_view message);

/// The answer in an API's form, with the headers that go with the fault.
Response error_answer(ErrorForm form, const RequestError& error);

/// What a request is told of work that did not end as Ending::done.
RequestError ending_error(infer::Ending ending, const std::string& message);

}  // namespace suanli::serve
