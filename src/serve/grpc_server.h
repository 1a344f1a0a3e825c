/// gRPC on connections that the server has accepted, and the methods that it has.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "monitor/service_metrics.h"
#include "serve/gate.h"
#include "serve/router.h"

namespace suanli::serve {

/// A request's body is one message, an answer's body another; an error's body its text (grpc_status.h).
struct Method {
  Scope scope;
  Handler handler;
  bool many = false;  ///< a client sends any number of messages and gets one for each, in their order
  /// Of `many`: the message that says what `response` says, an error as well; without it an error ends the call.
  std::string (*in_stream)(const Request& request, Response response) = nullptr;

  Response as_sent(const Request& request, Response response) const {
    if (in_stream == nullptr) return response;
    return {.body = in_stream(request, std::move(response))};
  }
};

struct Methods {
  std::map<std::string, Method, std::less<>> all = {};  ///< by path: "/inference.GRPCInferenceService/ModelInfer"
  /// Called five times a second while an answer in parts is under way.
  std::function<void()> while_streaming = [] {};
};

struct GrpcFront;

class GrpcServer {
 public:
  GrpcServer(const Methods& methods, Gate& gate, const Limits& limits, monitor::ServiceMetrics& metrics);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  /// Serves this stream socket, which is its own from now on.
  void serve(int socket);
  /// Ends what streams, then every call and connection. What was answered has been sent.
  void stop();

 private:
  void run();

  struct Parts;
  std::shared_ptr<GrpcFront> front_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace suanli::serve
