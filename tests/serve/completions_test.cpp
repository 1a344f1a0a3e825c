// Texts come over HTTP as the generator writes them alone, whole or in parts, and stop where they are told to.
#include <gtest/gtest.h>

#include <fstream>

#include "infer/generation.h"
#include "models/load.h"
#include "ops/initialize.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::filesystem::path tiny_writer() {
  const auto folder = tiny_model({});
  const Json config = {{"model_type", "gpt2"}, {"vocab_size", 105}, {"n_embd", 16},
                       {"n_layer", 2},         {"n_head", 2},       {"n_positions", 64}};
  models::save_model(models::new_model(config, {.head = models::Head::causal_lm}), folder);
  std::ofstream(folder / "chat_template.jinja")
      << "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}w9{% endif %}";
  return folder;
}

TestServerOptions writer_options() {
  TestServerOptions options;
  options.model = tiny_writer();
  return options;
}

std::string written_alone(const std::filesystem::path& folder, const std::string& prompt, int64_t count) {
  initialize();
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const infer::Generator generator(models::load_model(folder, {.head = models::Head::causal_lm}), DType::f32);
  const infer::TokenIds ids = tokenizer.encode(prompt).ids;
  const auto added =
      generator.generate(std::span(&ids, 1), {.max_new_tokens = count, .do_sample = true, .top_k = 0, .seed = 3});
  return tokenizer.decode(added[0]);
}

/// The texts of an answer in parts, and how it ended.
struct Streamed {
  std::string text, finish;
  int64_t completion_tokens = -1;
  bool done = false;
};

Streamed read_stream(const std::string& all, bool chat) {
  Streamed out;
  for (size_t at = 0; (at = all.find("data: ", at)) != std::string::npos;) {
    at += 6;
    const std::string event = all.substr(at, all.find("\n\n", at) - at);
    if (event == "[DONE]") {
      out.done = true;
      continue;
    }
    const Json json = parse_json(event, "event");
    if (json.contains("usage")) out.completion_tokens = json["usage"]["completion_tokens"];
    for (const Json& choice : json["choices"]) {
      if (chat && choice["delta"].contains("content")) out.text += choice["delta"]["content"];
      if (!chat) out.text += choice["text"];
      if (choice["finish_reason"].is_string()) out.finish = choice["finish_reason"];
    }
  }
  return out;
}

std::string post_stream(uint16_t port, const std::string& path, const Json& body) {
  Client client(port);
  const std::string text = body.dump();
  client.send("POST " + path + " HTTP/1.0\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
  return client.rest();
}

TEST(Completions, AreWhatTheGeneratorWritesAlone) {
  const TestServerOptions options = writer_options();
  TestServer server(options);
  Client client(server.port());
  Json body = {{"prompt", "w1 w2 w3"}, {"seed", 3}, {"max_tokens", 12}};
  const Json whole = client.post("/v1/completions", body.dump()).json();
  const std::string expected = written_alone(options.model, "w1 w2 w3", 12);
  // WordPiece puts a space between words; the text goes on behind the prompt.
  const std::string text = whole["choices"][0]["text"];
  EXPECT_EQ(text.substr(text.find_first_not_of(' ')), expected);
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(whole["usage"]["completion_tokens"], 12);
  EXPECT_EQ(whole["usage"]["prompt_tokens"], 5);

  body["stream"] = true;
  body["stream_options"]["include_usage"] = true;
  const Streamed streamed = read_stream(post_stream(server.port(), "/v1/completions", body), false);
  EXPECT_EQ(streamed.text, text);
  EXPECT_EQ(streamed.finish, "length");
  EXPECT_EQ(streamed.completion_tokens, 12);
  EXPECT_TRUE(streamed.done);
}

TEST(Completions, SeveralPromptsAndChoicesComeInTheirOrder) {
  TestServer server(writer_options());
  Client client(server.port());
  const Json body = {{"prompt", {"w1", "w2 w3"}}, {"n", 3}, {"temperature", 1.5}, {"seed", 7}, {"max_tokens", 8}};
  const Json first = client.post("/v1/completions", body.dump()).json();
  ASSERT_EQ(first["choices"].size(), 6U);
  std::set<std::string> texts;
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(first["choices"][i]["index"], i);
    texts.insert(first["choices"][i]["text"]);
  }
  EXPECT_GT(texts.size(), 3U) << "choices of one prompt differ";
  EXPECT_EQ(first["usage"]["prompt_tokens"], 3 + 4) << "each prompt once";
  EXPECT_EQ(client.post("/v1/completions", body.dump()).json()["choices"], first["choices"]) << "the seed decides";
}

TEST(Completions, StopStringsEndTheTextBeforeThem) {
  TestServer server(writer_options());
  Client client(server.port());
  Json body = {{"prompt", "w1 w2 w3"}, {"seed", 3}, {"max_tokens", 12}};
  const std::string whole = client.post("/v1/completions", body.dump()).json()["choices"][0]["text"];
  const std::string stop = whole.substr(whole.size() / 2, 2);
  body["stop"] = stop;
  const Json stopped = client.post("/v1/completions", body.dump()).json()["choices"][0];
  EXPECT_EQ(stopped["text"], whole.substr(0, whole.find(stop)));
  EXPECT_EQ(stopped["finish_reason"], "stop");
}

TEST(Completions, ChatPutsTheMessagesIntoTheTemplate) {
  TestServer server(writer_options());
  Client client(server.port());
  Json body = {{"messages", {{{"role", "user"}, {"content", "w4 w5"}}}}, {"temperature", 0}, {"max_tokens", 6}};
  const Json answer = client.post("/v1/chat/completions", body.dump()).json();
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  const std::string text = answer["choices"][0]["message"]["content"];
  EXPECT_FALSE(text.empty());
  body["messages"][0]["content"] = {{{"type", "text"}, {"text", "w4 w5"}}};
  EXPECT_EQ(client.post("/v1/chat/completions", body.dump()).json()["choices"][0]["message"]["content"], text);
  body["stream"] = true;
  const Streamed streamed = read_stream(post_stream(server.port(), "/v1/chat/completions", body), true);
  EXPECT_EQ(streamed.text, text);
  EXPECT_TRUE(streamed.done);
}

TEST(Completions, WhatCannotBeHonouredIsRefused) {
  TestServer server(writer_options());
  Client client(server.port());
  const auto refused = [&](Json change) {
    Json body = {{"prompt", "w1"}, {"max_tokens", 2}};
    body.update(change);
    const Reply reply = client.post("/v1/completions", body.dump());
    EXPECT_TRUE(reply.status != 400 || reply.json()["error"]["type"] == "invalid_request_error");
    return reply.status == 400;
  };
  EXPECT_FALSE(refused(Json::object()));
  EXPECT_TRUE(refused({{"logprobs", 3}}));
  EXPECT_TRUE(refused({{"suffix", "x"}}));
  EXPECT_TRUE(refused({{"presence_penalty", 0.5}}));
  EXPECT_TRUE(refused({{"max_tokens", 0}}));
  EXPECT_TRUE(refused({{"max_tokens", -1}}));
  EXPECT_TRUE(refused({{"max_tokens", 1e300}}));
  EXPECT_TRUE(refused({{"temperature", 2.5}}));
  EXPECT_TRUE(refused({{"n", 9}}));
  EXPECT_TRUE(refused({{"prompt", Json::array()}}));
  EXPECT_TRUE(refused({{"prompt", {1, 2, 1000}}}));
  EXPECT_TRUE(refused({{"prompt", std::string(1000, 'w')}, {"stop", ""}}));
  EXPECT_TRUE(refused({{"stop", {"a", "b", "c", "d", "e"}}}));
}

TEST(Completions, ATextThatIsRefusedHasNotBeenComputed) {
  TestServerOptions options = writer_options();
  options.server.limits.queued = 1;
  TestServer server(options);
  const Json body = {{"prompt", std::vector<std::string>(32, "w1")}, {"max_tokens", 2}};
  ASSERT_EQ(Client(server.port()).post("/v1/completions", body.dump()).status, 429) << "one waits, others find no room";
  server.stop();
  const std::string metrics = server.metrics.text(), name = "suanli_sequences_total{model=\"tiny\"} ";
  const size_t at = metrics.find(name);
  EXPECT_LT(at == std::string::npos ? 0 : std::atoi(metrics.c_str() + at + name.size()), 32);
}

TEST(Completions, AClientThatLeavesFreesItsPlace) {
  TestServerOptions options = writer_options();
  TestServer server(options);
  for (int i = 0; i < 40; ++i) {
    Client client(server.port());
    const std::string body = R"({"prompt":"w1","max_tokens":60,"stream":true})";
    client.send("POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    if (i % 2 == 0) client.read();
  }
  Client last(server.port());
  EXPECT_EQ(last.post("/v1/completions", R"({"prompt":"w1","max_tokens":3})").status, 200);
  EXPECT_EQ(server.stop(), 0) << "nothing stays under way";
}

}  // namespace
}  // namespace suanli::serve
