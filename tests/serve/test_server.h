/// A server of a tiny model on a free port of this machine, and a client that sends any bytes.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/json.h"
#include "serve/server.h"
#include "serve/service.h"

namespace suanli::serve {

/// A folder with a tiny BERT and a vocabulary of words w0, w1, ...: an encoder, or a classifier of `labels`.
std::filesystem::path tiny_model(const std::vector<std::string>& labels, uint64_t seed = 42);

struct TestServerOptions {
  ServerOptions server = {};
  std::filesystem::path model = tiny_model({});
  monitor::EnergyOptions energy = {};
  std::function<void(Router&)> more_routes = {};
  std::function<void(Methods&)> more_methods = {};
  std::function<void(Router&, const Service&)> application = {};
};

class TestServer {
 public:
  using Options = TestServerOptions;
  explicit TestServer(Options options = {});
  ~TestServer();

  uint16_t port() const { return server->port(); }
  /// Ends it as SIGTERM does and gives the exit code of the process.
  int stop();

  Options options;
  monitor::ServiceMetrics metrics;
  monitor::AlertHistory alerts;
  Router router;
  Methods methods;
  std::unique_ptr<Server> server;
  std::unique_ptr<Repository> models;
  std::unique_ptr<ModelEnergy> energy;

 private:
  std::thread thread_;
  int code_ = -1;
};

struct Reply {
  int status = 0;  ///< 0: the connection was closed without an answer
  std::string head, body;
  Json json() const { return parse_json(body, "reply"); }
  std::string header(const std::string& name) const;
};

/// A connection. Reads give up after `patience`.
class Client {
 public:
  explicit Client(uint16_t port, std::chrono::milliseconds patience = std::chrono::seconds(20));
  /// Over a Unix socket.
  explicit Client(const std::filesystem::path& socket);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False where the other side has closed.
  bool send(std::string_view bytes);
  Reply read();
  Reply request(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& more_headers = "");
  Reply post(const std::string& path, const std::string& body) { return request("POST", path, body); }
  /// All that comes until the other side closes.
  std::string rest();
  /// True where nothing more comes and the other side has closed.
  bool closed();
  void close();

 private:
  bool fill();
  int socket_;
  std::string buffer_;
};

}  // namespace suanli::serve
