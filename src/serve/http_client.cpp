#include "serve/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "base/error.h"

namespace suanli::serve {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr uint64_t kMostBytes = uint64_t{16} << 20;

using ClientParser = http::response_parser<http::string_body>;

http::request<http::string_body> request_to(const Url& url, const HttpQuestion& question) {
  http::request<http::string_body> request;
  request.method_string(question.method);
  request.target(url.path);
  request.version(11);
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  request.set(http::field::host, url.port == (url.tls ? "443" : "80") ? host : host + ":" + url.port);
  for (const auto& [name, value] : question.headers) request.set(name, value);
  request.keep_alive(false);
  request.body() = question.body;
  request.prepare_payload();
  return request;
}

/// Sends and reads; `end` gets how that went.
template <class Stream, class End>
void exchange_over(Stream& stream, const http::request<http::string_body>& request, beast::flat_buffer& buffer,
                   ClientParser& parser, End end) {
  http::async_write(stream, request, [&stream, &buffer, &parser, end](beast::error_code error, size_t) {
    if (error) return end(error);
    http::async_read(stream, buffer, parser, [end](beast::error_code read, size_t) { end(read); });
  });
}

}  // namespace

Url read_url(const std::string& text, const std::string& where) {
  Url url;
  url.tls = text.starts_with("https://");
  const size_t begin = url.tls ? 8 : 7;
  const size_t slash = std::min(text.find('/', begin), text.size());
  const std::string place = text.size() > begin ? text.substr(begin, slash - begin) : "";
  const size_t close = place.starts_with('[') ? place.find(']') : 0;
  const size_t colon = close == std::string::npos ? close : place.find(':', close);
  url.host = close > 0 && close != std::string::npos ? place.substr(1, close - 1) : place.substr(0, colon);
  url.port = colon == std::string::npos ? (url.tls ? "443" : "80") : place.substr(colon + 1);
  url.path = slash < text.size() ? text.substr(slash) : "/";
  const bool digits = !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
  if ((!url.tls && !text.starts_with("http://")) || url.host.empty() || !digits || close == std::string::npos ||
      text.find_first_of(" \t\r\n") != std::string::npos) {
    throw UserError(where, "expected http://host[:port]/path, got \"" + text + "\"");
  }
  return url;
}

HttpAnswer ask_http(const Url& url, const HttpQuestion& question) {
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  const auto request = request_to(url, question);
  beast::flat_buffer buffer(64 << 10);
  ClientParser parser;
  parser.body_limit(kMostBytes);
  beast::error_code failure;
  const auto end = [&failure](beast::error_code error) { failure = error; };
  asio::ip::tcp::resolver resolver(context);
  const auto places = resolver.resolve(url.host, url.port, failure);
  if (!failure && url.tls) {
    question.authority.empty() ? tls.set_default_verify_paths(failure)
                               : tls.load_verify_file(question.authority.string(), failure);
  }
  if (failure) return {.failure = failure.message()};
  beast::ssl_stream<beast::tcp_stream> stream(context, tls);
  auto& plain = beast::get_lowest_layer(stream);
  plain.expires_after(question.patience);
  plain.async_connect(places, [&](beast::error_code error, const auto&) {
    if (error) return end(error);
    if (!url.tls) return exchange_over(plain, request, buffer, parser, end);
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
    stream.async_handshake(asio::ssl::stream_base::client, [&](beast::error_code shaken) {
      shaken ? end(shaken) : exchange_over(stream, request, buffer, parser, end);
    });
  });
  context.run();
  // A server may close without TLS's good-bye; what has come whole is an answer.
  if (failure && !parser.is_done()) return {.failure = failure.message()};
  return {.status = static_cast<int>(parser.get().result_int()), .body = std::move(parser.get().body())};
}

}  // namespace suanli::serve
