/// What a handler holds of one message of a call of gRPC.
#pragma once

#include "serve/grpc_call.h"

namespace suanli::serve {

class GrpcExchange final : public Exchange, public std::enable_shared_from_this<GrpcExchange> {
 public:
  /// `answer`: where `call` keeps what this message is answered. `place`: among the requests under way.
  GrpcExchange(std::shared_ptr<GrpcFront> front, const std::shared_ptr<GrpcCall>& call, const Method& method,
               std::shared_ptr<GrpcAnswer> answer, Request request, std::shared_ptr<void> place)
      : front_(std::move(front)),
        call_(call),
        method_(method),
        own_(std::move(answer)),
        request_(std::move(request)),
        place_(std::move(place)) {}
  ~GrpcExchange() override;

  const Request& request() const override { return request_; }
  infer::Cancelled cancelled() const override { return cancelled_; }
  void cancel() { *cancelled_ = true; }
  void counts_for(std::string model) override { model_ = std::move(model); }
  void answer_with(std::function<Response()> make) override;
  void begin(Response head) override;
  void write(std::string part) override;
  void finish() override;

 private:
  Response failure() const;
  void count(int status);
  template <class Action>
  void with_call(Action action) {
    front_->post([call = call_, own = own_, action = std::move(action)]() mutable {
      if (const auto kept = call.lock()) action(*kept, *own);
    });
  }

  std::shared_ptr<GrpcFront> front_;
  std::weak_ptr<GrpcCall> call_;  ///< ends with its client
  const Method& method_;
  std::shared_ptr<GrpcAnswer> own_;
  Request request_;
  std::shared_ptr<void> place_;
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> answered_ = false;
  std::atomic<bool> streams_ = false;  ///< an answer in parts has begun and not ended
  std::string model_;
};

}  // namespace suanli::serve
