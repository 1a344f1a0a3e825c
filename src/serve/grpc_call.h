/// One call of gRPC: reads its messages within the limits, hands them to their handler, sends what it answers in the
/// order of the messages.
#pragma once

#include <deque>
#include <optional>

#include "serve/grpc_front.h"

namespace suanli::serve {

class GrpcExchange;

/// What one message is answered, on its way.
struct GrpcAnswer {
  std::weak_ptr<GrpcExchange> exchange = {};
  std::deque<grpc::ByteBuffer> parts = {};
  std::optional<Response> error = {};  ///< ends the call, behind the parts
  bool in_parts = false;               ///< begun and not ended
  bool whole = false;                  ///< nothing is added any more
  std::shared_ptr<void> place = {};    ///< among the requests under way
};

/// Keeps itself in front.calls until nothing of it is left in the queue.
class GrpcCall final : public std::enable_shared_from_this<GrpcCall> {
 public:
  explicit GrpcCall(const std::shared_ptr<GrpcFront>& front);

  /// Waits for the next call of any client to come.
  static void wait_for_next(const std::shared_ptr<GrpcFront>& front);
  /// Ends it where its client neither sends nor takes messages in time.
  void check_client(infer::Clock::time_point now);
  /// The server is about to end: no more parts, no more messages.
  void end_stream();

  // What an exchange asks for, each of its own answer.
  void answer(GrpcAnswer& own, Response response, std::shared_ptr<void> place);
  void begin_parts(GrpcAnswer& own, std::shared_ptr<void> place);
  void add_part(GrpcAnswer& own, std::string part);
  void end_parts(GrpcAnswer& own);

 private:
  template <class Operation>
  void start(GrpcTag& tag, Operation operation);
  void came(bool ok);
  void begin();
  infer::Clock::time_point deadline_for(const Request& request) const;
  void read();
  void message_came(bool ok);
  Request next_request();
  void handle();
  void refuse(const RequestError& error);
  void count_refusal(const Request& request, const Response& response);
  void note_end_of_parts(GrpcAnswer& own);
  void send_next();
  void finish(const Response& response);
  void note_sending();
  void cancel_answers();
  void leave_if_done();

  std::shared_ptr<GrpcFront> front_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  GrpcTag came_, done_, read_, written_, finished_;
  int in_queue_ = 0;  ///< tags that have not come back
  grpc::ByteBuffer message_;
  Request head_;  ///< of the call, without a message
  const Method* method_ = nullptr;
  size_t messages_ = 0;                              ///< that have come
  std::deque<std::shared_ptr<GrpcAnswer>> answers_;  ///< in the order of their messages
  infer::Clock::time_point read_end_, send_end_;
  bool reading_ = false, sending_ = false;                   ///< a message is on its way
  bool no_more_ = false, finishing_ = false, gone_ = false;  ///< messages; answers; client
};

}  // namespace suanli::serve
