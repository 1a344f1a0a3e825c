// What comes over the wire is answered, or refused with the code that says why; nothing of it stays.
#include <gtest/gtest.h>

#include <future>

#include "serve/test_server.h"

namespace suanli::serve {
namespace {

constexpr const char* kEmbed = R"({"inputs":"w1 w2 w3"})";

std::string head(const std::string& rest) { return "POST /embed HTTP/1.1\r\nHost: here\r\n" + rest; }

TEST(Http, OneConnectionAnswersManyRequestsAlsoSentAtOnce) {
  TestServer server;
  Client client(server.port());
  const Reply first = client.post("/embed", kEmbed);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.header("Content-Type"), "application/json");
  EXPECT_EQ(first.json()[0].size(), 16U);
  const std::string request = head("Content-Length: 21\r\n\r\n") + kEmbed;
  client.send(request + request + request);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read().body, first.body);
}

TEST(Http, TheLastAnswerOfAConnectionSaysThatItIs) {
  TestServerOptions options;
  options.server.limits.requests_per_connection = 3;
  TestServer server(options);
  Client client(server.port());
  for (const char* connection : {"", "", "close"}) {
    const Reply reply = client.post("/embed", kEmbed);
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("Connection"), connection);
  }
  EXPECT_TRUE(client.closed());
}

TEST(Http, ABodyInChunksAndInPiecesIsTheSameBody) {
  TestServer server;
  Client whole(server.port()), chunked(server.port()), slow(server.port());
  const Reply expected = whole.post("/embed", kEmbed);
  chunked.send(head("Transfer-Encoding: chunked\r\n\r\n") + "7\r\n{\"input\r\n" +
               "e;x=y\r\ns\":\"w1 w2 w3\"}\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().body, expected.body);
  for (const char c : head("Content-Length: 21\r\n\r\n") + kEmbed) slow.send({&c, 1});
  EXPECT_EQ(slow.read().body, expected.body);
}

TEST(Http, ContinueIsSaidBeforeABodyThatWaitsForIt) {
  TestServer server;
  Client client(server.port());
  client.send(head("Expect: 100-continue\r\nContent-Length: 21\r\n\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send(kEmbed);
  EXPECT_EQ(client.read().status, 200);
}

TEST(Http, HeadHasTheHeadersAlone) {
  TestServer server;
  Client get(server.port()), head_only(server.port());
  const Reply whole = get.request("GET", "/v2");
  head_only.send("HEAD /v2 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
  const std::string all = head_only.rest();
  EXPECT_NE(all.find("Content-Length: " + std::to_string(whole.body.size()) + "\r\n"), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\n"));
}

TEST(Http, WhatIsNotHttpOrNotAllowedIsRefused) {
  const struct {
    std::string bytes;
    int status;
  } kCases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/2.7\r\n\r\n", 400},
      {"GET /health HTTP/1.1\r\n\r\n", 400},  // no Host
      {"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /%2e%2e/etc HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /v2/models/a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /v2/models/a%00 HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /v2/models/none HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /embed HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
      {head("Content-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx"), 400},
      {head("Content-Length: -5\r\n\r\n"), 400},
      {head("Content-Length: 99999999999999999999\r\n\r\n"), 400},
      {head("Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n"), 400},
      {head("Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n"), 413},
      {head("Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nxxxxx"), 415},
      {head("x-request-timeout-ms: -1\r\nContent-Length: 21\r\n\r\n") + kEmbed, 400},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET /health HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n", 431},
  };
  TestServer server;
  for (const auto& row : kCases) {
    Client client(server.port());
    client.send(row.bytes);
    const Reply reply = client.read();
    EXPECT_EQ(reply.status, row.status) << row.bytes.substr(0, 60) << reply.body;
    ASSERT_NE(reply.status, 0) << row.bytes.substr(0, 60);
    EXPECT_TRUE(reply.json().contains("error"));
  }
  Client many(server.port());
  std::string headers;
  for (int i = 0; i < 101; ++i) headers += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(many.request("GET", "/health", "", headers).status, 431);
  Client after(server.port());
  EXPECT_EQ(after.post("/embed", kEmbed).status, 200);
}

/// A body of JSON of that many bytes.
std::string body_of(size_t bytes) {
  return R"({"inputs":"w1",)"
         "\"x\":\"" +
         std::string(bytes - 22, 'a') + "\"}";
}

TEST(Http, SizesAreCountedToTheByteUnderBothEncodings) {
  TestServerOptions options;
  options.server.limits.json_bytes = 5000;
  TestServer server(options);
  for (const size_t size : {4999, 5000, 5001}) {
    const int expected = size > 5000 ? 413 : 200;
    const std::string body = body_of(size);
    ASSERT_EQ(body.size(), size);
    Client plain(server.port()), chunked(server.port());
    EXPECT_EQ(plain.post("/embed", body).status, expected) << size;
    chunked.send(head("Transfer-Encoding: chunked\r\n\r\n"));
    for (size_t at = 0; at < size; at += 1000) {
      const std::string part = body.substr(at, 1000);
      char length[16];
      std::snprintf(length, sizeof length, "%zx\r\n", part.size());
      chunked.send(length + part + "\r\n");
    }
    chunked.send("0\r\n\r\n");
    EXPECT_EQ(chunked.read().status, expected) << size;
  }
}

TEST(Http, TooManyChunksAreRefused) {
  TestServer server;
  for (const int chunks : {4096, 4097}) {
    Client client(server.port());
    const std::string body = body_of(static_cast<size_t>(chunks) - 1);
    std::string bytes = head("Transfer-Encoding: chunked\r\n\r\n");
    for (const char c : body) bytes += std::string("1\r\n") + c + "\r\n";
    client.send(bytes + "0\r\n\r\n");  // the last one counts, too
    EXPECT_EQ(client.read().status, chunks == 4096 ? 200 : 413);
  }
}

TEST(Http, DeepJsonIsRefusedAndNeedsNoStack) {
  TestServer server;
  const auto nested = [](size_t depth) {
    return R"({"inputs":"w1","x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  Client client(server.port());
  EXPECT_EQ(client.post("/embed", nested(64)).status, 200);
  EXPECT_EQ(client.post("/embed", nested(65)).status, 422);
  EXPECT_EQ(client.post("/embed", std::string(1'000'000, '[')).status, 422);
}

TEST(Http, SlowClientsAreClosedWithoutHarmToOthers) {
  TestServerOptions options;
  options.server.limits.head_time = seconds(1);
  options.server.limits.body_grace = seconds(1);
  options.server.limits.idle_time = seconds(1);
  TestServer server(options);
  Client in_head(server.port()), in_body(server.port()), idle(server.port()), never(server.port());
  in_head.send("GET /hea");
  in_body.send(head("Content-Length: 21\r\n\r\n{"));
  EXPECT_EQ(idle.request("GET", "/health").status, 200);
  EXPECT_EQ(in_head.read().status, 408);
  EXPECT_EQ(in_body.read().status, 408);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(never.closed());
  Client fresh(server.port());
  EXPECT_EQ(fresh.post("/embed", kEmbed).status, 200);
}

TEST(Http, OneAddressHasItsShareOfConnections) {
  TestServerOptions options;
  options.server.limits.connections_per_address = 3;
  TestServer server(options);
  Client a(server.port()), b(server.port());
  {
    Client c(server.port());
    EXPECT_EQ(c.request("GET", "/health").status, 200);
    Client d(server.port());
    EXPECT_TRUE(d.closed());
  }
  EXPECT_EQ(a.request("GET", "/health").status, 200);
  for (int tries = 0; tries < 100; ++tries) {  // until the server has seen that c is gone
    Client e(server.port());
    if (e.request("GET", "/health").status == 200) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << "the place of a closed connection is not given to another";
}

/// A route whose handler keeps its exchange until it is told to answer.
struct Gate {
  std::mutex mutex;
  std::vector<ExchangePointer> kept;
  Handler handler() {
    return [this](const ExchangePointer& exchange) {
      const std::lock_guard lock(mutex);
      kept.push_back(exchange);
    };
  }
  size_t wait_for(size_t count) {
    for (int i = 0; i < 2000; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (kept.size() >= count) return kept.size();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return 0;
  }
  std::vector<ExchangePointer> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(kept, {});
  }
};

TEST(Http, AboveTheRequestsAtOnceOthersGet429AndTheConnectionGoesOn) {
  Gate gate;
  TestServerOptions options;
  options.server.limits.in_flight = 2;
  options.more_routes = [&](Router& router) { router.add({"GET", "/wait", Scope::infer, gate.handler()}); };
  TestServer server(options);
  Client a(server.port()), b(server.port()), c(server.port());
  a.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  b.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(gate.wait_for(2), 2U);
  const Reply refused = c.post("/embed", kEmbed);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.json()["error_type"], "Overloaded");
  for (const auto& exchange : gate.take()) exchange->answer({.body = "{}"});
  EXPECT_EQ(a.read().status, 200);
  EXPECT_EQ(b.read().status, 200);
  EXPECT_EQ(c.post("/embed", kEmbed).status, 200);
}

TEST(Http, AClientThatLeavesCancelsItsWork) {
  Gate gate;
  TestServerOptions options;
  options.more_routes = [&](Router& router) { router.add({"GET", "/wait", Scope::infer, gate.handler()}); };
  TestServer server(options);
  {
    Client client(server.port());
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(gate.wait_for(1), 1U);
  }
  const auto kept = gate.take();
  for (int i = 0; i < 2000 && !*kept[0]->cancelled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(*kept[0]->cancelled());
  kept[0]->answer({.body = "{}"});
  Client other(server.port());
  EXPECT_EQ(other.post("/embed", kEmbed).status, 200);
}

TEST(Http, AHandlerThatForgetsOrThrowsStillAnswers) {
  TestServerOptions options;
  options.more_routes = [](Router& router) {
    router.add({"GET", "/forget", Scope::infer, [](const ExchangePointer&) {}});
    router.add(
        {"GET", "/throw", Scope::infer, [](const ExchangePointer&) { throw std::runtime_error("/secret/path"); }});
    router.add({"GET", "/late", Scope::infer, [](const ExchangePointer& exchange) {
                  exchange->answer_with([]() -> Response { throw std::runtime_error("/secret/path"); });
                }});
  };
  TestServer server(options);
  Client client(server.port());
  for (const char* path : {"/forget", "/throw", "/late"}) {
    const Reply reply = client.request("GET", path);
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
}

TEST(Http, AnErrorThatQuotesTheBodyIsUtf8) {
  TestServer server;
  for (const char* path : {"/embed", "/v1/embeddings", "/v2/models/tiny/infer"}) {
    for (const char* body : {"\xf6", "\xc3\xa9", "{\"a\": \xe4\xb8\xad}", "{\"\xff\": 1}"}) {
      Client client(server.port());
      const Reply reply = client.post(path, body);
      EXPECT_TRUE(reply.status == 400 || reply.status == 422);
      EXPECT_NO_THROW(reply.json()) << path << " " << body;
    }
  }
}

TEST(Http, AnAnswerInPartsComesInChunks) {
  TestServerOptions options;
  options.more_routes = [](Router& router) {
    router.add({"GET", "/parts", Scope::infer, [](const ExchangePointer& exchange) {
                  exchange->begin({.body = "one ", .content_type = "text/event-stream"});
                  std::thread([exchange] {
                    exchange->write("two ");
                    exchange->write("three");
                    exchange->finish();
                  }).detach();
                }});
  };
  TestServer server(options);
  Client client(server.port());
  client.send("GET /parts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const Reply reply = client.read();
  EXPECT_EQ(reply.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(client.rest(), "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
}

TEST(Http, AnAnswerInPartsThatIsLetGoHasNoEndAndLeavesRoom) {
  TestServerOptions options;
  options.server.limits.in_flight = 1;
  options.more_routes = [](Router& router) {
    router.add({"GET", "/part", Scope::infer, [](const ExchangePointer& exchange) { exchange->begin({.body = "a"}); }});
  };
  TestServer server(options);
  Client client(server.port()), after(server.port());
  client.send("GET /part HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(client.rest().ends_with("0\r\n\r\n")) << "the client must see that it is not whole";
  EXPECT_EQ(after.post("/embed", kEmbed).status, 200);
}

TEST(Http, DrainingAnswersWhatWasTakenAndRefusesTheRest) {
  Gate gate;
  TestServerOptions options;
  options.more_routes = [&](Router& router) { router.add({"GET", "/wait", Scope::infer, gate.handler()}); };
  TestServer server(options);
  Client waiting(server.port()), other(server.port());
  waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(gate.wait_for(1), 1U);
  EXPECT_EQ(other.request("GET", "/v2/health/ready").status, 200);
  auto code = std::async(std::launch::async, [&] { return server.stop(); });
  for (int i = 0; i < 1000 && server.server->ready(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(other.request("GET", "/v2/health/ready").status, 503);
  EXPECT_EQ(other.post("/embed", kEmbed).status, 503);
  for (const auto& exchange : gate.take()) exchange->answer({.body = "{}"});
  EXPECT_EQ(waiting.read().status, 200);
  EXPECT_EQ(code.get(), 0);
}

TEST(Http, DrainingDoesNotWaitForClientsThatSendNothing) {
  TestServer server;
  Client idle(server.port()), in_head(server.port()), in_body(server.port());
  EXPECT_EQ(idle.request("GET", "/health").status, 200);
  in_head.send("GET /hea");
  in_body.send(head("Content-Length: 21\r\n\r\n{"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(server.stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));  // head and body have 10 s and more
}

}  // namespace
}  // namespace suanli::serve
