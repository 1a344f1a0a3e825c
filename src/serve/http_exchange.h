/// What a handler holds of a connection: it answers from any thread, the connection sends on the network thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "serve/exchange.h"

namespace suanli::serve {

/// What an exchange asks of its connection, on the network thread.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual boost::asio::any_io_executor executor() = 0;
  virtual void send(const Request& request, Response response) = 0;
  virtual void begin_stream(const Request& request, Response head) = 0;
  virtual void stream(std::string part) = 0;
  virtual void finish_stream() = 0;
  /// The rest of an answer in parts does not come: the client must see that its end is missing.
  virtual void break_off() = 0;
};

class HttpExchange final : public Exchange, public std::enable_shared_from_this<HttpExchange> {
 public:
  HttpExchange(std::shared_ptr<AnswerSink> sink, Request request)
      : sink_(std::move(sink)), request_(std::move(request)) {}
  /// One that was not answered answers 500; one whose parts have no end is broken off.
  ~HttpExchange() override;

  const Request& request() const override { return request_; }
  infer::Cancelled cancelled() const override { return cancelled_; }
  void cancel() { *cancelled_ = true; }
  void counts_for(std::string model) override { model_ = std::move(model); }
  const std::string& model() const { return model_; }

  void answer_with(std::function<Response()> make) override;
  void begin(Response head) override;
  void write(std::string part) override;
  void finish() override;

 private:
  std::shared_ptr<AnswerSink> sink_;
  Request request_;
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> answered_ = false;
  std::atomic<bool> streams_ = false;  ///< an answer in parts has begun and not ended
  std::string model_;
};

}  // namespace suanli::serve
