/// Messages of Protocol Buffers as the bodies of requests and answers.
#pragma once

#include <google/protobuf/message.h>

#include "serve/grpc_status.h"

namespace suanli::serve {

/// Throws RequestError for a body that is no such message.
template <class Message>
Message message_of(const ExchangePointer& exchange) {
  Message message;
  if (!message.ParseFromString(exchange->request().body)) {
    throw RequestError(Fault::invalid, "expected a message " + Message::descriptor()->full_name());
  }
  return message;
}

inline Response answer_of(const google::protobuf::Message& message) { return {.body = message.SerializeAsString()}; }

}  // namespace suanli::serve
