#include "serve/test_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "models/load.h"
#include "ops/initialize.h"
#include "serve/grpc_health.h"
#include "serve/grpc_reflection.h"
#include "serve/open_inference_grpc.h"
#include "serve/openapi.h"
#include "serve/tei_grpc.h"

namespace suanli::serve {

std::filesystem::path tiny_model(const std::vector<std::string>& labels, uint64_t seed) {
  initialize();
  static int number = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("suanli_serve_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  std::filesystem::create_directories(folder);
  const Json config = {{"model_type", "bert"},          {"vocab_size", 105},        {"hidden_size", 16},
                       {"num_hidden_layers", 2},        {"num_attention_heads", 2}, {"intermediate_size", 32},
                       {"max_position_embeddings", 64}, {"type_vocab_size", 2}};
  const auto head = labels.empty() ? models::Head::none : models::Head::sequence_classification;
  models::save_model(models::new_model(config, {.head = head, .labels = labels, .seed = seed}), folder);
  std::ofstream vocabulary(folder / "vocab.txt");
  vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 0; i < 100; ++i) vocabulary << "w" << i << "\n";
  return folder;
}

TestServer::TestServer(Options given) : options(std::move(given)) {
  options.server.port = 0;
  server = std::make_unique<Server>(options.server, router, metrics, &methods);
  models = std::make_unique<Repository>(ModelOptions(), options.server.limits, metrics, 1);
  models->add("tiny", options.model);
  models->load_changed();
  energy = std::make_unique<ModelEnergy>(options.energy, *models);
  const Service service{*models, options.server.limits, metrics, *energy, {}, [this] { return server->ready(); },
                        alerts};
  add_health_routes(router, service);
  add_watch_routes(router, service);
  add_ui_routes(router);
  add_embedding_routes(router, service);
  add_openai_routes(router, service);
  add_completion_routes(router, service);
  add_open_inference_routes(router, service);
  add_prediction_routes(router, service);
  add_explain_routes(router, service);
  add_openapi_route(router, service);
  add_open_inference_methods(methods, service);
  add_health_methods(methods, service);
  add_tei_methods(methods, service);
  add_reflection_methods(methods);
  if (options.more_routes) options.more_routes(router);
  if (options.more_methods) options.more_methods(methods);
  if (options.application) options.application(router, service);
  thread_ = std::thread([this] { code_ = server->run([] {}); });
}

TestServer::~TestServer() {
  stop();
  models.reset();
}

int TestServer::stop() {
  if (server) server->stop();
  if (thread_.joinable()) thread_.join();
  return code_;
}

std::string Reply::header(const std::string& name) const {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Client::Client(uint16_t port, std::chrono::milliseconds patience) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit = {.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

Client::Client(const std::filesystem::path& socket) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", socket.c_str());
  EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

Client::~Client() { close(); }

void Client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool Client::fill() {
  char bytes[16384];
  const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

Reply Client::read() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  Reply reply{.head = buffer_.substr(0, end + 2), .body = {}};
  buffer_.erase(0, end + 4);
  reply.status = std::atoi(reply.head.substr(9, 3).c_str());
  const auto length = static_cast<size_t>(std::atol(reply.header("Content-Length").c_str()));
  while (buffer_.size() < length) {
    if (!fill()) return {};
  }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

Reply Client::request(const std::string& method, const std::string& path, const std::string& body,
                      const std::string& more_headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: here\r\n" + more_headers;
  if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + body);
  return read();
}

std::string Client::rest() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool Client::closed() {
  char byte = 0;
  return recv(socket_, &byte, 1, 0) == 0;
}

}  // namespace suanli::serve
