#include "serve/grpc_connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>

namespace suanli::serve {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::local::stream_protocol;
using ErrorCode = beast::error_code;

/// A pair of sockets of this process. The first has a name: gRPC asks its end who is at the other.
std::pair<int, int> socket_pair() {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return {-1, -1};
  const sockaddr_un any = {.sun_family = AF_UNIX, .sun_path = {}};
  if (bind(ends[0], reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family) == 0) return {ends[0], ends[1]};
  close(ends[0]);
  close(ends[1]);
  return {-1, -1};
}

/// Between a client that speaks TLS and gRPC's end of a pair of sockets.
class TlsRelay final : public AnyConnection, public std::enable_shared_from_this<TlsRelay> {
 public:
  TlsRelay(GrpcServer& server, Front& front, asio::ip::tcp::socket socket,
           const std::shared_ptr<asio::ssl::context>& tls, std::shared_ptr<void> peer)
      : server_(server),
        front_(front),
        tls_(tls),
        client_(std::move(socket), *tls),
        inner_(client_.get_executor()),
        peer_(std::move(peer)) {
    front_.connections.insert(this);
  }
  ~TlsRelay() override { front_.connections.erase(this); }

  void start() {
    lowest().expires_after(front_.limits.head_time);
    client_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](ErrorCode error) {
      if (!error) self->open();
    });
  }
  /// gRPC closes what it was given; the handshake has its time.
  void close_when_idle() override {}

 private:
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(client_); }

  void open() {
    lowest().expires_never();
    const auto [own, given] = socket_pair();
    ErrorCode error;
    if (own < 0 || inner_.assign(stream_protocol(), own, error)) return;
    server_.serve(given);
    read_client();
    read_inner();
  }

  void read_client() {
    client_.async_read_some(asio::buffer(from_client_), [self = shared_from_this()](ErrorCode error, size_t count) {
      if (error) return self->close();
      asio::async_write(self->inner_, asio::buffer(self->from_client_, count),
                        [self](ErrorCode failed, size_t) { failed ? self->close() : self->read_client(); });
    });
  }

  void read_inner() {
    inner_.async_read_some(asio::buffer(from_inner_), [self = shared_from_this()](ErrorCode error, size_t count) {
      if (error) return self->say_goodbye();
      asio::async_write(self->client_, asio::buffer(self->from_inner_, count),
                        [self](ErrorCode failed, size_t) { failed ? self->close() : self->read_inner(); });
    });
  }

  /// gRPC has closed: the client has all that it sent, and hears that this is the end.
  void say_goodbye() {
    lowest().expires_after(std::chrono::seconds(1));
    client_.async_shutdown([self = shared_from_this()](ErrorCode) { self->close(); });
  }

  void close() {
    ErrorCode ignored;
    inner_.close(ignored);
    lowest().socket().close(ignored);
  }

  GrpcServer& server_;
  Front& front_;
  std::shared_ptr<asio::ssl::context> tls_;  ///< that of now: a reload makes another
  TlsStream client_;
  stream_protocol::socket inner_;
  std::shared_ptr<void> peer_;
  std::array<char, 16 << 10> from_client_, from_inner_;
};

}  // namespace

void serve_grpc(GrpcServer& server, Front& front, asio::ip::tcp::socket socket,
                const std::shared_ptr<asio::ssl::context>& tls, std::shared_ptr<void> peer) {
  if (tls) return std::make_shared<TlsRelay>(server, front, std::move(socket), tls, std::move(peer))->start();
  // The socket is gRPC's; a second descriptor of it says when it has been shut down from both sides.
  ErrorCode error;
  const int watched = dup(socket.native_handle());
  if (watched < 0) return;
  const auto watch = std::make_shared<asio::posix::stream_descriptor>(socket.get_executor(), watched);
  socket.native_non_blocking(true, error);
  server.serve(socket.release());
  watch->async_wait(asio::posix::descriptor_base::wait_error, [watch, peer = std::move(peer)](ErrorCode) {});
}

}  // namespace suanli::serve
