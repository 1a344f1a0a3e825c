// The applications over real HTTP, with stand-ins for the models.
#include <gtest/gtest.h>

#include <set>

#include "apps/assistant_routes.h"
#include "apps/sentiment_routes.h"
#include "apps/stand_in.h"
#include "serve/test_server.h"

namespace suanli::apps {
namespace {

using serve::Client;
using serve::Reply;
using serve::TestServer;
using serve::TestServerOptions;

std::shared_ptr<const Assistant> http_assistant(AssistantOptions options = {}) {
  std::vector<Answer> answers = {
      {.question = "how do i open an account", .text = "With your passport.", .source = "https://bank/1", .intent = {}},
      {.question = "what does a transfer cost", .text = "Nothing.", .source = {}, .intent = {}}};
  AnswerIndex index = stand_in_index(answers);
  return std::make_shared<const Assistant>(options, std::move(answers), std::move(index),
                                           std::vector<std::string>{"money", "greeting"});
}

AssistantModels stand_in_models() {
  return {.classify =
              [](const OnBehalf&, const std::string& text, auto then, const OnError&) {
                then({text == "hello" ? 0.1 : 0.6, text == "hello" ? 0.9 : 0.4});
              },
          .embed = [](const OnBehalf&, const std::string& text, auto then,
                      const OnError&) { then(stand_in_vector(text)); }};
}

TestServerOptions assistant_server(AssistantModels models = stand_in_models(), AssistantOptions options = {}) {
  TestServerOptions out;
  out.more_routes = [models, options](serve::Router& router) {
    add_assistant_routes(router, http_assistant(options), models);
  };
  return out;
}

constexpr const char* kMessages = "/v1/assistant/messages";

TEST(AssistantHttp, AConversationGoesOnUnderItsSession) {
  TestServer server(assistant_server());
  Client client(server.port());
  const Json first = client.post(kMessages, R"({"text": "how do i open an account"})").json();
  EXPECT_EQ(first["reply"]["type"], "answer");
  EXPECT_EQ(first["reply"]["text"], "With your passport.");
  EXPECT_EQ(first["reply"]["source"], (Json{{"question", "how do i open an account"}, {"url", "https://bank/1"}}));
  EXPECT_EQ(first["intent"]["label"], "money");
  EXPECT_EQ(first["intent"]["recognised"], false);
  const std::string session = first["session"];
  const Json next = client.post(kMessages, Json({{"session", session}, {"text", "sing a song"}}).dump()).json();
  EXPECT_EQ(next["session"], session);
  EXPECT_EQ(next["reply"]["type"], "handover");
  EXPECT_EQ(next["reply"]["reason"], "out_of_scope");
  EXPECT_EQ(client.post(kMessages, R"({"text": "hello"})").json()["reply"]["reason"], "low_confidence");
  EXPECT_EQ(client.post(kMessages, R"({"text": "talk to a human"})").json()["reply"]["reason"], "asked_for_a_person");
}

TEST(AssistantHttp, WhatCannotBeAnsweredIsRefusedAndSaysWhy) {
  TestServer server(assistant_server());
  Client client(server.port());
  const auto refused = [&](const std::string& body, int status, const std::string& word) {
    const Reply reply = client.post(kMessages, body);
    EXPECT_EQ(reply.status, status) << body;
    EXPECT_NE(reply.json()["error"].get<std::string>().find(word), std::string::npos) << reply.body;
  };
  refused(R"({"text": ""})", 400, "text");
  refused(R"({"text": " \n"})", 400, "text");
  refused(R"({})", 400, "text");
  refused(R"({"text": 5})", 400, "text");
  refused(Json({{"text", std::string(2001, 'a')}}).dump(), 400, "2000");
  refused(R"({"text": "hello", "session": "unknown"})", 404, "session");
  refused(R"({"text": "hello", "session": 7})", 400, "session");
  EXPECT_EQ(client.post(kMessages, Json({{"text", std::string(2000, 'a')}}).dump()).status, 200);
}

TEST(AssistantHttp, AModelThatFailsIsAnErrorOfTheRequest) {
  AssistantModels models = stand_in_models();
  models.embed = [](const OnBehalf&, const std::string&, const auto&, const OnError& fail) {
    fail({serve::Fault::overloaded, "the queue is full; try again later", 1});
  };
  TestServer server(assistant_server(models));
  Client client(server.port());
  const Reply reply = client.post(kMessages, R"({"text": "hello"})");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.header("Retry-After"), "1");
}

TEST(AssistantHttp, ACrossEncoderDecidesWhatTheIndexHasFound) {
  AssistantModels models = stand_in_models();
  models.rank = [](const OnBehalf&, const std::pair<std::string, std::vector<std::string>>& asked, auto then,
                   const OnError&) {
    std::vector<double> scores;
    for (const std::string& document : asked.second) scores.push_back(document.ends_with("Nothing.") ? 0.99 : 0.01);
    then(scores);
  };
  TestServer server(assistant_server(models));
  Client client(server.port());
  EXPECT_EQ(client.post(kMessages, R"({"text": "how do i open an account"})").json()["reply"]["text"], "Nothing.");
}

TEST(SentimentHttp, MessagesAreScoredAndASurgeIsAnAlert) {
  SentimentOptions options;
  options.window = 60;
  options.lateness = 0;
  const AskNegative ask = [](const OnBehalf&, const std::vector<std::string>& texts, const auto& then, const OnError&) {
    std::vector<double> scores;
    for (const std::string& text : texts) scores.push_back(text.ends_with("falls") ? 0.9 : 0.1);
    then(scores);
  };
  TestServerOptions server_options;
  server_options.more_routes = [&](serve::Router& router) {
    add_sentiment_routes(router, std::make_shared<SentimentService>(options, "", ask), 32);
  };
  TestServer server(server_options);
  Client client(server.port());
  const auto post = [&](double time, const std::string& text, int count) {
    Json messages = Json::array();
    for (int i = 0; i < count; ++i) messages.push_back({{"time", time}, {"text", text}, {"id", std::to_string(i)}});
    return client.post("/v1/sentiment/messages", Json({{"messages", messages}}).dump());
  };
  for (int minute = 0; minute < 30; ++minute) EXPECT_EQ(post(1000 + 60 * minute, "$X stands", 2).status, 200);
  const Reply surge = post(2801, "$X falls", 12);
  EXPECT_EQ(surge.json()["results"][0], (Json{{"score", 0.9}, {"negative", true}, {"late", false}}));
  const Json alerts = client.request("GET", "/v1/sentiment/alerts").json()["alerts"];
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0]["labels"]["topic"], "$X");
  EXPECT_EQ(alerts[0]["messages"][0]["text"], "$X falls");
  const Json topics = client.request("GET", "/v1/sentiment/topics").json();
  EXPECT_EQ(topics["topics"][0]["negative"], 12);
  EXPECT_EQ(topics["counts"]["messages"], 72);
  EXPECT_EQ(post(2000, "$X falls", 1).json()["results"][0]["late"], true);
  EXPECT_EQ(post(4e9, "$X falls", 1).status, 400) << "from the future";
  EXPECT_EQ(post(2801, "$X falls", 33).status, 400);
  for (const char* body : {"{}", R"({"messages": []})", R"({"messages": ["a"]})", R"({"messages": [{"text": ""}]})"}) {
    EXPECT_EQ(client.post("/v1/sentiment/messages", body).status, 400) << body;
  }
}

TEST(ApplicationPage, ItDescribesTheRoutesThatApplicationsAdd) {
  serve::Router router;
  add_assistant_routes(router, http_assistant(), stand_in_models());
  add_sentiment_routes(router, std::make_shared<SentimentService>(SentimentOptions(), "", AskNegative()), 32);
  std::vector<serve::ApplicationRoute> described = assistant_openapi({});
  for (auto& route : sentiment_openapi(32)) described.push_back(std::move(route));
  std::set<std::string> routes, pages;
  for (const serve::Route& route : router.routes())
    routes.insert((route.method == "GET" ? "get " : "post ") + route.pattern);
  for (const auto& route : described) pages.insert(route.method + " " + route.path);
  EXPECT_EQ(pages, routes);
  const Json page = serve::openapi_page({}, described);
  EXPECT_EQ(page["paths"][kMessages]["post"]["responses"]["200"]["content"]["application/json"]["schema"]["type"],
            "object");
  EXPECT_EQ(page["paths"][kMessages]["post"]["requestBody"]["required"], true);
  EXPECT_FALSE(page["paths"]["/v1/sentiment/topics"]["get"].contains("requestBody"));
}

}  // namespace
}  // namespace suanli::apps
