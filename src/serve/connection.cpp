#include "serve/connection.h"

#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "serve/answer_writer.h"
#include "serve/http_exchange.h"

namespace suanli::serve {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = beast::error_code;
using infer::Clock;

constexpr bool is_tls(const TlsStream&) { return true; }
template <class Stream>
constexpr bool is_tls(const Stream&) {
  return false;
}

template <class Stream>
class Connection final : public AnyConnection,
                         public AnswerSink,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Front& front, const Router& router, Stream stream, std::shared_ptr<void> peer, bool admin)
      : front_(front),
        router_(router),
        stream_(std::move(stream)),
        peer_(std::move(peer)),
        admin_(admin),
        timer_(stream_.get_executor()),
        buffer_(front.limits.header_bytes + (128 << 10)),
        writer_(stream_, front.limits.write_time) {
    front_.connections.insert(this);
  }
  ~Connection() override {
    front_.reading.erase(turn_);
    front_.connections.erase(this);
  }

  void start() {
    take_turn();
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      lowest().expires_after(front_.limits.head_time);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](ErrorCode error) {
        if (!error) self->read_request();
      });
    } else {
      read_request();
    }
  }

  void close_when_idle() override {
    closing_ = true;
    if (!busy_) close();
  }

  asio::any_io_executor executor() override { return stream_.get_executor(); }
  void send(const Request& request, Response response) override;
  void begin_stream(const Request& request, Response head) override;
  void stream(std::string part) override { writer_.add(std::move(part)); }
  void finish_stream() override;
  void break_off() override;

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  /// Reading begins: until busy_ this connection is one of those that may have to make room.
  void take_turn() {
    if (admin_) return;
    front_.reading.erase(turn_);
    turn_ = ++front_.last_turn;
    front_.reading[turn_] = this;
    front_.can_make_room();
  }
  void set_busy() {
    busy_ = true;
    front_.reading.erase(turn_);
  }

  void read_within(Clock::time_point end);
  void read_request();
  void read_first();
  void read_head();
  void take_head();
  void read_body();
  void dispatch();
  void refuse(const RequestError& error);
  void read_failed(ErrorCode error);
  void watch_for_hang_up();
  void written();
  void linger();
  void drop_rest();
  void close();
  void count_answer(int status);

  Front& front_;
  const Router& router_;
  Stream stream_;
  std::shared_ptr<void> peer_;
  const bool admin_;
  asio::steady_timer timer_;  ///< of reading; writing has the stream's own
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::function<void(uint64_t, beast::string_view, ErrorCode&)> on_chunk_;
  size_t chunks_ = 0, requests_ = 0, dropped_ = 0;
  uint64_t turn_ = 0;       ///< in front_.reading
  bool busy_ = false;       ///< a request is with its handler, or its answer on the way
  bool closing_ = false;    ///< no further request
  bool watching_ = false;   ///< a wait for bytes or the end of the connection is under way
  bool in_flight_ = false;  ///< the request counts as one under way
  bool timed_out_ = false;
  Clock::time_point body_begun_;
  Request request_;  ///< its body is with the exchange
  const Route* route_ = nullptr;
  std::weak_ptr<HttpExchange> exchange_;
  AnswerWriter<Stream> writer_;
  int status_ = 0;  ///< of an answer in parts
};

/// Reading that has not ended by then ends with timed_out_.
template <class Stream>
void Connection<Stream>::read_within(Clock::time_point end) {
  timer_.expires_at(end);
  timer_.async_wait([weak = this->weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (error || !self || self->busy_ || self->timer_.expiry() > Clock::now()) return;
    self->timed_out_ = true;
    self->lowest().cancel();
  });
}

template <class Stream>
void Connection<Stream>::read_request() {
  if (closing_) return close();
  closing_ = ++requests_ >= front_.limits.requests_per_connection;  // the last answer says so
  take_turn();
  request_ = {};
  route_ = nullptr;
  exchange_.reset();
  chunks_ = 0;
  on_chunk_ = [this](uint64_t, beast::string_view, ErrorCode& error) {
    if (++chunks_ > front_.limits.chunks) error = http::error::body_limit;
  };
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(front_.limits.header_bytes));
  parser_->body_limit(UINT64_MAX);  // known when the route is
  parser_->on_chunk_header(on_chunk_);
  lowest().expires_never();
  read_within(Clock::now() + (requests_ == 1 ? front_.limits.head_time : front_.limits.idle_time));
  buffer_.size() > 0 ? read_head() : read_first();
}

/// The first bytes end the idle time and begin that of the head.
template <class Stream>
void Connection<Stream>::read_first() {
  stream_.async_read_some(buffer_.prepare(16 << 10), [self = this->shared_from_this()](ErrorCode error, size_t count) {
    if (error) return self->close();
    self->buffer_.commit(count);
    self->read_within(Clock::now() + self->front_.limits.head_time);
    self->read_head();
  });
}

template <class Stream>
void Connection<Stream>::read_head() {
  http::async_read_some(stream_, buffer_, *parser_, [self = this->shared_from_this()](ErrorCode error, size_t) {
    if (error) return self->read_failed(error);
    self->parser_->is_header_done() ? self->take_head() : self->read_head();
  });
}

/// Judges what was asked before any of the body is looked at.
template <class Stream>
void Connection<Stream>::take_head() {
  request_ = request_of(*parser_);
  request_.arrival = Clock::now();
  request_.id = request_id(request_, front_.gate.next_id());
  try {
    check_head(*parser_, front_.limits);
    request_.deadline = deadline_of(request_, front_.limits);
    auto match = router_.match(request_.method == "HEAD" ? "GET" : request_.method, request_.path);
    if (match.route == nullptr) {
      if (match.allow.empty()) throw RequestError(Fault::not_found, "no such path");
      throw RequestError(Fault::method, "expected one of " + match.allow);
    }
    route_ = match.route;
    request_.parameters = std::move(match.parameters);
    if (admin_) {
      request_.client = "admin socket";
    } else {
      front_.gate.admit(key_of(request_), route_->scope, request_);
    }
    const size_t most = route_->body == BodyKind::binary ? front_.limits.binary_bytes : front_.limits.json_bytes;
    if (parser_->content_length() && *parser_->content_length() > most) {
      throw RequestError(Fault::too_large, "expected a body of at most " + std::to_string(most) + " bytes");
    }
    parser_->body_limit(most);
  } catch (const RequestError& error) {
    return refuse(error);
  }
  body_begun_ = Clock::now();
  if (parser_->is_done()) return dispatch();
  if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue), [self = this->shared_from_this()](ErrorCode error, size_t) {
    if (!error) self->read_body();
  });
}

template <class Stream>
void Connection<Stream>::read_body() {
  const auto earned = std::chrono::milliseconds(1000 * parser_->get().body().size() /
                                                std::max<size_t>(front_.limits.body_bytes_per_second, 1));
  read_within(body_begun_ + front_.limits.body_grace + earned);
  http::async_read_some(stream_, buffer_, *parser_, [self = this->shared_from_this()](ErrorCode error, size_t) {
    if (error) return self->read_failed(error);
    self->parser_->is_done() ? self->dispatch() : self->read_body();
  });
}

template <class Stream>
void Connection<Stream>::dispatch() {
  timer_.cancel();
  try {
    in_flight_ = front_.gate.enter(route_->scope, request_);
  } catch (const RequestError& error) {
    if (front_.gate.draining()) closing_ = true;
    return refuse(error);
  }
  set_busy();
  Request request = request_;
  request.body = std::move(parser_->get().body());
  const auto exchange = std::make_shared<HttpExchange>(this->shared_from_this(), std::move(request));
  exchange_ = exchange;
  watch_for_hang_up();
  const ErrorForm form = route_->error;
  try {
    route_->handler(exchange);
  } catch (const RequestError& error) {
    exchange->answer(error_answer(form, error));
  } catch (const UserError& error) {
    exchange->answer(form(Fault::invalid, error.what()));
  } catch (const std::exception& error) {
    log_error("request " + request_.id + ": " + error.what());
    exchange->answer(form(Fault::backend, "the server could not answer; request " + request_.id));
  }
}

/// Answers without a handler. What was not read of the request is not waited for.
template <class Stream>
void Connection<Stream>::refuse(const RequestError& error) {
  set_busy();
  if (!parser_->is_done()) closing_ = true;
  if (request_.arrival == Clock::time_point()) request_.arrival = Clock::now();  // its head never came whole
  timer_.cancel();
  send(request_, error_answer(route_ != nullptr ? route_->error : plain_error, error));
}

template <class Stream>
void Connection<Stream>::read_failed(ErrorCode error) {
  if (timed_out_) return refuse({Fault::too_slow, "the request came too slowly"});
  if (error == http::error::end_of_stream) return close();
  if (error == http::error::header_limit) return refuse({Fault::long_head, "the head is too long"});
  if (error == http::error::body_limit) return refuse({Fault::too_large, "the body is too long"});
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    route_ = nullptr;  // not a request of any API
    return refuse({Fault::invalid, "expected a request of HTTP/1.1: " + error.message()});
  }
  close();
}

/// While a handler works: the end of the connection cancels its work. Bytes of a next request wait.
template <class Stream>
void Connection<Stream>::watch_for_hang_up() {
  if (watching_) return;
  watching_ = true;
  auto& socket = lowest().socket();
  socket.async_wait(std::decay_t<decltype(socket)>::wait_read, [self = this->shared_from_this()](ErrorCode error) {
    self->watching_ = false;
    if (error || !self->busy_) return;
    char first = 0;
    const ssize_t count = recv(self->lowest().socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    constexpr char kTlsAlert = 21;
    const bool gone = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) ||
                      (count == 1 && is_tls(self->stream_) && first == kTlsAlert);
    if (!gone) return;
    self->closing_ = true;
    if (const auto exchange = self->exchange_.lock()) exchange->cancel();
  });
}

template <class Stream>
void Connection<Stream>::count_answer(int status) {
  const auto exchange = exchange_.lock();
  if (std::exchange(in_flight_, false)) {
    front_.gate.note_answer(route_->scope, request_, status, exchange ? exchange->model() : "");
    front_.gate.leave();
  }
  const std::chrono::duration<double> taken = Clock::now() - request_.arrival;
  front_.metrics.request(route_ != nullptr ? route_->pattern : "", exchange ? exchange->model() : "", status,
                         taken.count());
}

template <class Stream>
void Connection<Stream>::send(const Request& request, Response response) {
  count_answer(response.status);
  const bool keep = !closing_ && parser_->keep_alive();
  if (!keep) closing_ = true;
  Message message = message_of(std::move(response), request, parser_->get().version(), keep, request.method != "HEAD");
  writer_.send(std::move(message),
               [self = this->shared_from_this()](bool sent) { sent ? self->written() : self->close(); });
}

template <class Stream>
void Connection<Stream>::begin_stream(const Request& request, Response head) {
  std::string first = std::move(head.body);
  head.body = {};
  status_ = head.status;
  const unsigned version = parser_->get().version();
  const bool chunked = version == 11;
  if (!chunked || !parser_->keep_alive()) closing_ = true;
  writer_.begin(message_of(std::move(head), request, version, !closing_, true), chunked,
                [self = this->shared_from_this()](bool sent) {
                  if (sent) return self->written();
                  if (const auto exchange = self->exchange_.lock()) exchange->cancel();
                  self->break_off();
                });
  writer_.add(std::move(first));
}

template <class Stream>
void Connection<Stream>::finish_stream() {
  if (!writer_.ended()) count_answer(status_);
  writer_.end();
}

template <class Stream>
void Connection<Stream>::break_off() {
  if (!writer_.ended()) count_answer(status_);
  writer_.break_off();
  close();
}

template <class Stream>
void Connection<Stream>::written() {
  busy_ = false;
  if (!closing_) return read_request();
  if (!parser_->is_done()) return linger();
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    lowest().expires_after(std::chrono::seconds(1));
    stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) { self->close(); });
  } else {
    close();
  }
}

/// Reads a little of what the client still sends, so that it can read our answer before it hears of the end.
template <class Stream>
void Connection<Stream>::linger() {
  ErrorCode ignored;
  lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
  lowest().expires_after(std::chrono::seconds(1));
  buffer_.clear();
  drop_rest();
}

template <class Stream>
void Connection<Stream>::drop_rest() {
  lowest().async_read_some(buffer_.prepare(64 << 10), [self = this->shared_from_this()](ErrorCode error, size_t) {
    error || ++self->dropped_ > 64 ? self->close() : self->drop_rest();
  });
}

template <class Stream>
void Connection<Stream>::close() {
  closing_ = true;
  ErrorCode ignored;
  lowest().socket().shutdown(asio::socket_base::shutdown_both, ignored);
  lowest().socket().close(ignored);
}

}  // namespace

template <class Stream>
void serve_connection(Front& front, const Router& router, Stream stream, std::shared_ptr<void> peer, bool admin) {
  std::make_shared<Connection<Stream>>(front, router, std::move(stream), std::move(peer), admin)->start();
}

template void serve_connection(Front&, const Router&, PlainStream, std::shared_ptr<void>, bool);
template void serve_connection(Front&, const Router&, TlsStream, std::shared_ptr<void>, bool);
template void serve_connection(Front&, const Router&, LocalStream, std::shared_ptr<void>, bool);

}  // namespace suanli::serve
