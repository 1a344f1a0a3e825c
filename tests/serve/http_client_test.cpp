// Questions to other servers: addresses as people write them, answers, and servers that are not there.
#include "serve/http_client.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/error.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::string taken_apart(const std::string& text) {
  const Url url = read_url(text, "url");
  return std::string(url.tls ? "tls " : "") + url.host + " " + url.port + " " + url.path;
}

TEST(HttpClient, AnAddressIsTakenApart) {
  EXPECT_EQ(taken_apart("http://here"), "here 80 /");
  EXPECT_EQ(taken_apart("http://here:8000/a/b?c=1"), "here 8000 /a/b?c=1");
  EXPECT_EQ(taken_apart("https://here/x:y"), "tls here 443 /x:y");
  EXPECT_EQ(taken_apart("http://[::1]:8000/m"), "::1 8000 /m");
  EXPECT_EQ(taken_apart("http://[::1]"), "::1 80 /");
  for (const char* wrong : {"", "here", "ftp://here", "http://", "http:///path", "http://:80",
                            "http://here:", "http://[::1", "http://here:80a", "http://he re", "http://here/\r\nX: y"}) {
    EXPECT_THROW(read_url(wrong, "url"), UserError) << wrong;
  }
}

TEST(HttpClient, AsksOnce) {
  TestServer server;
  Url url = read_url("http://127.0.0.1:" + std::to_string(server.port()) + "/embed", "url");
  const HttpQuestion question{.method = "POST", .body = R"({"inputs":"w1"})"};
  const HttpAnswer answer = ask_http(url, question);
  EXPECT_EQ(answer.failure, "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(parse_json(answer.body, "answer")[0].size(), 16U);
  url.path = "/nowhere";
  EXPECT_EQ(ask_http(url, {}).status, 404);
  server.stop();
  server.server.reset();
  const HttpAnswer none = ask_http(url, {});
  EXPECT_EQ(none.status, 0);
  EXPECT_NE(none.failure, "");
}

TEST(HttpClient, DoesNotWaitForEver) {
  // A server that takes a connection and says nothing: the connection waits in the listener's queue.
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor silent(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const Url url{.host = "127.0.0.1", .port = std::to_string(silent.local_endpoint().port()), .path = "/"};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(ask_http(url, {.patience = std::chrono::milliseconds(200)}).failure, "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace suanli::serve
