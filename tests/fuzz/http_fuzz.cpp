/// Any bytes as what a client sends: every request that is whole gets one whole answer, then the connection closes and
/// nothing of it stays. The first byte says in how many pieces the bytes come, and how the client leaves.
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/utf8.h"
#include "serve/connection.h"
#include "serve/fields.h"

namespace {

using namespace suanli::serve;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

/// What a model does some time later.
std::vector<std::function<void()>> later;

void echo(const ExchangePointer& exchange) {
  const suanli::Json body = read_body(exchange->request());
  bool single = false;
  const size_t count = inputs_of(body, "inputs", single).size();
  const suanli::Json out = {{"model", string_field(body, "model", "")},
                            {"count", count},
                            {"single", single},
                            {"normalize", bool_field(body, "normalize", true)},
                            {"dimensions", integer_field(body, "dimensions", 16, 1, 16)},
                            {"temperature", number_field(body, "temperature", 1, 0, 2)}};
  exchange->answer(Response{.body = out.dump()});
}

void stream(const ExchangePointer& exchange) {
  exchange->begin({.body = "", .content_type = "text/event-stream"});
  exchange->write("data: " + exchange->request().body + "\n\n");
  later.push_back([exchange] {
    exchange->write("data: [DONE]\n\n");
    later.push_back([exchange] { exchange->finish(); });
  });
}

Router routes() {
  Router router;
  const auto add = [&](const char* method, const char* pattern, Handler handler, Scope scope = Scope::infer,
                       BodyKind body = BodyKind::json) {
    router.add({.method = method, .pattern = pattern, .scope = scope, .handler = std::move(handler), .body = body});
  };
  const auto name = [](const ExchangePointer& exchange) {
    exchange->answer({.body = suanli::Json(exchange->request().parameters)
                                  .dump(-1, ' ', false, suanli::Json::error_handler_t::replace)});
  };
  add(
      "GET", "/health", [](const ExchangePointer& exchange) { exchange->answer(Response{.body = ""}); }, Scope::open);
  add("POST", "/embed", echo);
  add("POST", "/stream", stream);
  add("POST", "/forgets", [](const ExchangePointer&) {});
  add("POST", "/breaks_off", [](const ExchangePointer& exchange) { exchange->begin({.body = "a part"}); });
  add("POST", "/later", [](const ExchangePointer& exchange) {
    later.push_back([exchange] { exchange->answer(Response{.body = "{}"}); });
  });
  add("GET", "/v2/models/{model}", name);
  add("POST", "/v2/models/{model}/infer", name, Scope::infer, BodyKind::binary);
  add("POST", "/v2/repository/models/{model}/load", name, Scope::admin);
  return router;
}

const Limits kLimits = {.target_bytes = 256,
                        .header_bytes = 2048,
                        .header_count = 16,
                        .json_bytes = 1024,
                        .binary_bytes = 2048,
                        .chunks = 16,
                        .requests_per_connection = 8,
                        .in_flight = 4};

/// Takes what has come; false where nothing has.
bool read_some(Socket& client, std::string& answers) {
  char bytes[16 << 10];
  boost::system::error_code error;
  const size_t count = client.read_some(asio::buffer(bytes), error);
  answers.append(bytes, count);
  return count > 0;
}

/// Traps where an answer does not parse or is not UTF-8, or something lies behind the last one.
void check_answers(std::string_view answers) {
  while (!answers.empty()) {
    if (!answers.starts_with("HTTP/1.1 ") && !answers.starts_with("HTTP/1.0 ")) __builtin_trap();
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    boost::system::error_code error;
    const size_t used = parser.put(asio::buffer(answers), error);
    if (!error && !parser.is_done()) parser.put_eof(error);
    if (error || !parser.is_done() || used == 0) __builtin_trap();
    const bool json = parser.get()[http::field::content_type] == "application/json";
    if (json && suanli::find_invalid_utf8(parser.get().body()) != std::string::npos) __builtin_trap();
    answers.remove_prefix(used);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  FILE* const errors = std::exchange(stderr, std::fopen("/dev/null", "w"));  // the log keeps the stderr it begins with
  suanli::configure_log(suanli::LogLevel::error, false);
  stderr = errors;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router router = routes();
  static suanli::monitor::ServiceMetrics metrics;
  static asio::io_context context{1};
  if (size == 0) return 0;
  const size_t pieces = 1 + data[0] % 8;
  const bool admin = (data[0] & 0x10) != 0, vanishes = (data[0] & 0x20) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  Gate gate(kLimits);
  if ((data[0] & 0x80) != 0) gate.drain();
  Front front{.limits = kLimits, .metrics = metrics, .gate = gate};
  Socket client(context), server(context);
  asio::local::connect_pair(client, server);
  client.non_blocking(true);
  serve_connection(front, router, LocalStream(std::move(server)), nullptr, admin);

  std::string answers;
  boost::system::error_code error;
  for (size_t i = 0; i < pieces && !error; ++i) {
    const size_t begin = input.size() * i / pieces, end = input.size() * (i + 1) / pieces;
    context.restart();
    client.write_some(asio::buffer(input.substr(begin, end - begin)), error);
    context.poll();
    if (!vanishes) read_some(client, answers);
  }
  error = vanishes ? client.close(error) : client.shutdown(Socket::shutdown_send, error);
  for (int idle = 0; !front.connections.empty() || !later.empty();) {
    context.restart();
    const bool moved = context.poll() > 0 || (!vanishes && read_some(client, answers));
    if (!moved) {
      for (const auto& step : std::exchange(later, {})) step();
    }
    if (idle = moved ? 0 : idle + 1; idle > 100) __builtin_trap();  // it waits for what cannot come
  }
  context.restart();
  context.poll();
  if (gate.in_flight() != 0) __builtin_trap();
  if (vanishes) return 0;
  while (read_some(client, answers)) {
  }
  const bool whole = input.find("HEAD") == input.npos && input.find("breaks_off") == input.npos;
  if (whole) check_answers(answers);
  return 0;
}
