#include "serve/http_exchange.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "base/log.h"
#include "serve/fault.h"

namespace suanli::serve {

namespace asio = boost::asio;

namespace {

Response could_not_answer(const Request& request) {
  return plain_error(Fault::backend, "the server could not answer; request " + request.id);
}

}  // namespace

HttpExchange::~HttpExchange() {
  if (streams_) asio::post(sink_->executor(), [sink = sink_] { sink->break_off(); });
  if (answered_) return;
  log_error("request " + request_.id + " to " + request_.path + " was dropped without an answer");
  asio::post(sink_->executor(), [sink = sink_, request = request_] { sink->send(request, could_not_answer(request)); });
}

void HttpExchange::answer_with(std::function<Response()> make) {
  if (answered_.exchange(true)) return;
  asio::dispatch(sink_->executor(), [self = shared_from_this(), make = std::move(make)] {
    Response response;
    try {
      response = make();
    } catch (const std::exception& error) {
      log_error("request " + self->request_.id + ": " + error.what());
      response = could_not_answer(self->request_);
    }
    self->sink_->send(self->request_, std::move(response));
  });
}

void HttpExchange::begin(Response head) {
  if (answered_.exchange(true)) return;
  streams_ = true;
  asio::dispatch(sink_->executor(), [self = shared_from_this(), head = std::move(head)]() mutable {
    self->sink_->begin_stream(self->request_, std::move(head));
  });
}

void HttpExchange::write(std::string part) {
  asio::dispatch(sink_->executor(), [self = shared_from_this(), part = std::move(part)]() mutable {
    self->sink_->stream(std::move(part));
  });
}

void HttpExchange::finish() {
  if (!streams_.exchange(false)) return;
  asio::dispatch(sink_->executor(), [self = shared_from_this()] { self->sink_->finish_stream(); });
}

}  // namespace suanli::serve
