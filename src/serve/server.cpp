#include "serve/server.h"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "serve/connection.h"
#include "serve/grpc_connection.h"
#include "serve/tls.h"

namespace suanli::serve {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

namespace {

tcp::endpoint endpoint_of(const ServerOptions& options, uint16_t port) {
  ErrorCode error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) throw UserError("host", "expected an IP address such as 127.0.0.1 or ::1, got \"" + options.host + "\"");
  const bool safe = !options.certificate.empty() && (!options.keys_file.empty() || !options.client_authority.empty());
  if (!address.is_loopback() && !safe && !options.insecure_public) {
    throw UserError("host",
                    "expected TLS (--ssl_certfile, --ssl_keyfile) and keys (--keys_file) or client "
                    "certificates (--ssl_ca_certs) for the public address " +
                        options.host + "; or say --insecure_public");
  }
  return {address, port};
}

}  // namespace

struct Server::State {
  State(const ServerOptions& given, const Router& router, monitor::ServiceMetrics& metrics, const Methods* grpc_methods)
      : options(given),
        all_routes(router),
        methods(grpc_methods),
        front{.limits = options.limits, .metrics = metrics, .gate = *gate} {
    metrics.before_text([&metrics, counting = gate] {
      metrics.set("suanli_requests_in_flight", "Requests that are being worked on", {},
                  static_cast<double>(counting->in_flight()));
    });
    front.can_make_room = [this] {
      if (!ending) accept_all();
    };
    if (options.audit_log.empty()) return;
    audit.emplace(options.audit_log);
    gate->set_audit(&*audit);
  }

  ~State() { ending = true; }

  /// A port and what is answered there.
  struct Listener {
    tcp::acceptor acceptor;
    const Router* routes;  ///< null: gRPC's methods
    bool accepting = false;
  };

  ServerOptions options;
  std::optional<AuditLog> audit = {};
  const Router& all_routes;
  Router metrics_routes = {};  ///< what the port of the metrics has
  const Methods* methods;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>(options.limits);  ///< the metrics count its requests
  Front front;
  std::map<asio::ip::address, size_t> peers = {};  ///< connections of each address
  size_t connections = 0;
  bool ending = false;
  std::atomic<bool> ready = true;
  infer::Clock::time_point drain_end;
  int exit_code = 0;
  std::shared_ptr<asio::ssl::context> tls = {}, grpc_tls = {};
  std::unique_ptr<GrpcServer> grpc = {};
  asio::io_context context{1};  ///< goes before what its connections use
  Listener http{tcp::acceptor(context), &all_routes};
  Listener metrics_only{tcp::acceptor(context), &metrics_routes};
  Listener grpc_listener{tcp::acceptor(context), nullptr};
  stream_protocol::acceptor admin{context};
  asio::signal_set signals{context};
  asio::steady_timer timer{context};

  void open();
  void read_secrets();
  void listen(Listener& listener, uint16_t port);
  void accept_all();
  void accept(Listener& listener);
  void take(Listener& listener, tcp::socket socket);
  void accept_admin();
  void wait_for_signal(const std::function<void()>& reload);
  void note(const char* actor, const char* action, const std::string& outcome);
  void drain();
  void check_drained();
};

void Server::State::listen(Listener& listener, uint16_t port) {
  const tcp::endpoint endpoint = endpoint_of(options, port);
  try {
    listener.acceptor.open(endpoint.protocol());
    listener.acceptor.set_option(tcp::acceptor::reuse_address(true));
    listener.acceptor.bind(endpoint);
    listener.acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw EnvironmentError(
        "serve", "cannot listen at " + options.host + ":" + std::to_string(port) + ": " + error.code().message());
  }
}

void Server::State::open() {
  endpoint_of(options, options.port);
  read_secrets();
  listen(http, options.port);
  if (options.metrics_port) listen(metrics_only, *options.metrics_port);
  if (methods != nullptr && options.grpc_port >= 0) {
    listen(grpc_listener, static_cast<uint16_t>(options.grpc_port));
    grpc = std::make_unique<GrpcServer>(*methods, *gate, options.limits, front.metrics);
  }
  try {
    if (!options.admin_socket.empty()) {
      std::error_code ignored;
      if (std::filesystem::is_socket(options.admin_socket, ignored)) std::filesystem::remove(options.admin_socket);
      admin.open();
      const mode_t before = umask(0177);  // the socket is its owner's from its first moment
      ErrorCode error;
      admin.bind(stream_protocol::endpoint(options.admin_socket.string()), error);
      umask(before);
      if (error) throw boost::system::system_error(error);
      admin.listen();
    }
  } catch (const boost::system::system_error& error) {
    throw EnvironmentError("serve",
                           "cannot listen at " + options.admin_socket.string() + ": " + error.code().message());
  }
}

void Server::State::read_secrets() {
  if (!options.keys_file.empty()) gate->set_keys(Keys::read(options.keys_file));
  if (!options.certificate.empty() || !options.private_key.empty()) {
    tls = tls_context(options.certificate, options.private_key, options.client_authority);
    grpc_tls = tls_context(options.certificate, options.private_key, options.client_authority);
    require_http2(*grpc_tls);
  }
}

void Server::State::accept_all() {
  for (Listener* listener : {&http, &metrics_only, &grpc_listener}) accept(*listener);
}

/// Accepts while there is room, or a connection that reads to make it: the one that has read longest. Where all are
/// answering, one that ends makes room.
void Server::State::accept(Listener& listener) {
  const bool full = connections >= options.limits.connections;
  if (listener.accepting || !listener.acceptor.is_open() || (full && front.reading.empty())) return;
  listener.accepting = true;
  listener.acceptor.async_accept([this, &listener](ErrorCode error, tcp::socket socket) {
    listener.accepting = false;
    if (!listener.acceptor.is_open()) return;
    if (!error) {
      take(listener, std::move(socket));
    } else if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space) {
      return;  // until a connection ends
    }
    accept(listener);
  });
}

void Server::State::take(Listener& listener, tcp::socket socket) {
  ErrorCode error;
  const auto address = socket.remote_endpoint(error).address();
  if (error || peers[address] >= options.limits.connections_per_address) return;
  if (connections >= options.limits.connections && !front.reading.empty()) {
    AnyConnection* const longest = front.reading.begin()->second;
    front.reading.erase(front.reading.begin());
    longest->close_when_idle();
  }
  socket.set_option(tcp::no_delay(true), error);
  ++peers[address];
  ++connections;
  const std::shared_ptr<void> peer(nullptr, [this, address](void*) {
    if (--peers[address] == 0) peers.erase(address);
    --connections;
    if (!ending) accept_all();
  });
  if (listener.routes == nullptr) {
    serve_grpc(*grpc, front, std::move(socket), grpc_tls, peer);
  } else if (tls) {
    serve_connection(front, *listener.routes, TlsStream(std::move(socket), *tls), peer, false);
  } else {
    serve_connection(front, *listener.routes, PlainStream(std::move(socket)), peer, false);
  }
}

void Server::State::accept_admin() {
  if (!admin.is_open()) return;
  admin.async_accept([this](ErrorCode error, stream_protocol::socket socket) {
    if (!admin.is_open()) return;
    if (!error) serve_connection(front, all_routes, LocalStream(std::move(socket)), nullptr, true);
    accept_admin();
  });
}

void Server::State::wait_for_signal(const std::function<void()>& reload) {
  signals.async_wait([this, &reload](ErrorCode error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      note("signal", "end", "begun");
      return drain();
    }
    try {
      note("signal", "read certificate, keys and models again", "begun");
      read_secrets();
      reload();
    } catch (const std::exception& failure) {
      log_error(std::string("reload: ") + failure.what() + "; what was there before is kept");
    }
    wait_for_signal(reload);
  });
}

/// What nobody asked for over a connection.
void Server::State::note(const char* actor, const char* action, const std::string& outcome) {
  if (!audit) return;
  try {
    audit->append({.actor = actor, .action = action, .model = "", .outcome = outcome});
  } catch (const EnvironmentError& error) {
    log_error(error.what());
  }
}

void Server::State::drain() {
  if (gate->draining()) return;
  gate->drain();
  ready = false;
  log_info("no new work; waiting for " + std::to_string(gate->in_flight()) + " requests");
  drain_end = infer::Clock::now() + options.limits.drain_time;
  check_drained();
}

void Server::State::check_drained() {
  const bool late = infer::Clock::now() >= drain_end;
  if (gate->in_flight() == 0 || late) {
    http.acceptor.close();
    metrics_only.acceptor.close();
    grpc_listener.acceptor.close();
    admin.close();
    if (grpc) grpc->stop();
    const std::set<AnyConnection*> all = front.connections;
    for (AnyConnection* connection : all) connection->close_when_idle();
    if (front.connections.empty() || late) {
      exit_code = gate->in_flight() > 0 ? 1 : 0;
      context.stop();
      return;
    }
  }
  timer.expires_after(std::chrono::milliseconds(10));
  timer.async_wait([this](ErrorCode error) {
    if (!error) check_drained();
  });
}

Server::Server(const ServerOptions& options, const Router& router, monitor::ServiceMetrics& metrics,
               const Methods* methods)
    : state_(std::make_unique<State>(options, router, metrics, methods)) {
  state_->open();
}

Server::~Server() {
  if (!state_->options.admin_socket.empty()) {
    std::error_code ignored;
    std::filesystem::remove(state_->options.admin_socket, ignored);
  }
}

uint16_t Server::port() const { return state_->http.acceptor.local_endpoint().port(); }

uint16_t Server::metrics_port() const { return state_->metrics_only.acceptor.local_endpoint().port(); }

uint16_t Server::grpc_port() const { return state_->grpc ? state_->grpc_listener.acceptor.local_endpoint().port() : 0; }

bool Server::ready() const { return state_->ready; }

int Server::run(const std::function<void()>& reload) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) state_->signals.add(signal);
  state_->wait_for_signal(reload);
  for (const Route& route : state_->all_routes.routes()) {
    if (route.pattern == "/metrics") state_->metrics_routes.add(route);
  }
  state_->accept_all();
  state_->accept_admin();
  state_->note("server", "start", "serves");
  state_->context.run();
  state_->note("server", "end", std::to_string(state_->exit_code));
  return state_->exit_code;
}

void Server::stop() {
  asio::post(state_->context, [this] { state_->drain(); });
}

}  // namespace suanli::serve
