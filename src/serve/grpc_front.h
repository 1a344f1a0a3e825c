/// What all calls of gRPC share: the queue that one thread runs, and the way onto that thread.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <mutex>
#include <set>
#include <thread>

#include "monitor/service_metrics.h"
#include "serve/gate.h"
#include "serve/grpc_server.h"

namespace suanli::serve {

class GrpcCall;

/// What comes out of the completion queue.
struct GrpcTag {
  std::function<void(bool ok)> fire;
};

/// Everything but post() belongs to the thread that runs the queue.
struct GrpcFront {
  const Methods& methods;
  Gate& gate;
  const Limits& limits;
  monitor::ServiceMetrics& metrics;
  grpc::AsyncGenericService service = {};
  std::unique_ptr<grpc::ServerCompletionQueue> queue = {};
  std::set<std::shared_ptr<GrpcCall>> calls = {};
  size_t streams = 0;  ///< answers in parts that have begun and not ended
  size_t waiting = 0;  ///< for a client: messages being read, and sent
  std::atomic<std::thread::id> thread = {};
  std::mutex post_mutex = {};
  bool ended = false;  ///< the queue takes nothing more; of post_mutex

  /// Runs `work` on the queue's thread: at once if this is it, never once the queue has ended.
  void post(std::function<void()> work);
};

}  // namespace suanli::serve
