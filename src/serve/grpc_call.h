/// One call of gRPC: reads its messages within the limits, hands them to their handler, sends what it answers.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "monitor/service_metrics.h"
#include "serve/gate.h"
#include "serve/grpc_server.h"

namespace suanli::serve {

class GrpcCall;
class GrpcExchange;

/// What comes out of the completion queue.
struct GrpcTag {
  std::function<void(bool ok)> fire;
};

/// What all calls share. Everything but post() belongs to the thread that runs the queue.
struct GrpcFront {
  const Methods& methods;
  Gate& gate;
  const Limits& limits;
  monitor::ServiceMetrics& metrics;
  grpc::AsyncGenericService service = {};
  std::unique_ptr<grpc::ServerCompletionQueue> queue = {};
  std::set<std::shared_ptr<GrpcCall>> calls = {};
  size_t streams = 0;  ///< answers in parts that have begun and not ended
  size_t reading = 0;  ///< calls that wait for a message
  std::atomic<std::thread::id> thread = {};
  std::mutex post_mutex = {};
  bool ended = false;  ///< the queue takes nothing more; of post_mutex

  /// Runs `work` on the queue's thread: at once if this is it, never once the queue has ended.
  void post(std::function<void()> work);
};

/// Keeps itself in front.calls until nothing of it is left in the queue.
class GrpcCall final : public std::enable_shared_from_this<GrpcCall> {
 public:
  explicit GrpcCall(const std::shared_ptr<GrpcFront>& front);

  /// Waits for the next call of any client to come.
  static void wait_for_next(const std::shared_ptr<GrpcFront>& front);
  /// Ends it where its message has not come in time.
  void check_reading(infer::Clock::time_point now);
  /// Ends an answer in parts: the server is about to end.
  void end_stream();

  // What an exchange asks for.
  void answer(Response response, std::shared_ptr<void> place);
  void begin_stream();
  void stream(std::string part);
  void finish_stream();
  void break_off();

 private:
  template <class Operation>
  void start(GrpcTag& tag, Operation operation);
  void came(bool ok);
  void begin();
  void read();
  void message_came(bool ok);
  void handle();
  void refuse(const RequestError& error);
  void finish(const Response& response);
  void write_next();
  void leave_if_done();

  std::shared_ptr<GrpcFront> front_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  GrpcTag came_, done_, read_, written_, finished_;
  int in_queue_ = 0;  ///< tags that have not come back
  grpc::ByteBuffer message_;
  Request head_;  ///< of the call, without a message
  const Method* method_ = nullptr;
  std::weak_ptr<GrpcExchange> exchange_;
  std::shared_ptr<void> place_;  ///< among the requests under way
  infer::Clock::time_point read_end_;
  std::deque<grpc::ByteBuffer> parts_;  ///< the first is being written
  bool reading_ = false, streams_ = false, writing_ = false, last_part_ = false, finishing_ = false, gone_ = false;
};

}  // namespace suanli::serve
