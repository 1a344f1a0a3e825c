/// The sockets of the server, its network thread, and its end.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "monitor/service_metrics.h"
#include "serve/grpc_server.h"
#include "serve/limits.h"
#include "serve/router.h"

namespace suanli::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;                                      ///< 0: any that is free
  int grpc_port = -1;                                        ///< 0: any that is free; -1: no gRPC
  std::optional<uint16_t> metrics_port = {};                 ///< GET /metrics alone, and nothing else, at this one, too
  std::filesystem::path certificate = {}, private_key = {};  ///< PEM; both or none: TLS 1.3
  std::filesystem::path client_authority = {};               ///< PEM: clients must have a certificate of it
  std::filesystem::path admin_socket = {};                   ///< a Unix socket that its owner alone may use
  std::filesystem::path keys_file = {};
  std::filesystem::path audit_log = {};  ///< of what administrators do
  bool insecure_public = false;          ///< an address of others without TLS and keys
  Limits limits = {};
};

class Server {
 public:
  /// Opens the sockets. Throws UserError for options that cannot be, such as a public address without TLS and keys,
  /// EnvironmentError for a port that is taken. `methods`: those of gRPC, none for null; they may be
  /// added until run().
  Server(const ServerOptions& options, const Router& router, monitor::ServiceMetrics& metrics,
         const Methods* methods = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  /// 0: no gRPC.
  uint16_t grpc_port() const;
  /// Only where there is one.
  uint16_t metrics_port() const;
  /// False as soon as the server is about to end. From any thread.
  bool ready() const;
  /// Serves until SIGTERM or SIGINT; then refuses new work, waits for what is under way (limits.drain_time) and
  /// returns 0, or 1 where something was cut off. SIGHUP reads certificate and keys again and calls `reload`.
  int run(const std::function<void()>& reload);
  /// As the signal would. From any thread.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace suanli::serve
