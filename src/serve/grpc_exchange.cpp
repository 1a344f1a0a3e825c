#include "serve/grpc_exchange.h"

#include "base/log.h"
#include "serve/grpc_status.h"

namespace suanli::serve {

GrpcExchange::~GrpcExchange() {
  if (answered_ && !streams_) return;
  if (!answered_) log_error("request " + request_.id + " to " + request_.path + " was dropped without an answer");
  with_call([response = method_.as_sent(request_, failure())](GrpcCall& call, GrpcAnswer& own) {
    call.answer(own, response, nullptr);
  });
}

Response GrpcExchange::failure() const {
  return grpc_error(Fault::backend, "the server could not answer; request " + request_.id);
}

void GrpcExchange::count(int status) {
  front_->gate.note_answer(method_.scope, request_, status, model_);
  const std::chrono::duration<double> taken = infer::Clock::now() - request_.arrival;
  front_->metrics.request(request_.path, model_, status, taken.count());
}

void GrpcExchange::answer_with(std::function<Response()> make) {
  if (answered_.exchange(true)) return;
  front_->post([self = shared_from_this(), make = std::move(make)] {
    Response response;
    try {
      response = make();
    } catch (const std::exception& error) {
      log_error("request " + self->request_.id + ": " + error.what());
      response = self->failure();
    }
    self->count(response.status);
    response = self->method_.as_sent(self->request_, std::move(response));
    if (const auto call = self->call_.lock()) call->answer(*self->own_, std::move(response), std::move(self->place_));
    self->place_.reset();
  });
}

void GrpcExchange::begin(Response head) {
  if (answered_.exchange(true)) return;
  streams_ = true;
  front_->post([self = shared_from_this(), first = std::move(head.body)] {
    self->count(200);
    const auto call = self->call_.lock();
    if (!call) return;
    call->begin_parts(*self->own_, std::move(self->place_));
    if (!first.empty()) call->add_part(*self->own_, first);
  });
}

void GrpcExchange::write(std::string part) {
  with_call([part = std::move(part)](GrpcCall& call, GrpcAnswer& own) { call.add_part(own, part); });
}

void GrpcExchange::finish() {
  if (!streams_.exchange(false)) return;
  with_call([](GrpcCall& call, GrpcAnswer& own) { call.end_parts(own); });
}

}  // namespace suanli::serve
