// text-embeddings-inference over gRPC answers as its routes do over HTTP.
#include <gtest/gtest.h>

#include "serve/grpc_client.h"
#include "tei.pb.h"

namespace suanli::serve {
namespace {

using grpc::StatusCode;
namespace v1 = tei::v1;

const std::string kTei = "/tei.v1.";

TestServerOptions with_labels(const std::vector<std::string>& labels) {
  TestServerOptions options = with_grpc();
  options.model = tiny_model(labels);
  return options;
}

Json over_http(const TestServer& server, const std::string& path, const Json& body) {
  Client client(server.port());
  const Reply reply = client.post(path, body.dump());
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.json();
}

template <class Message>
std::vector<float> numbers_of(const Message& message) {
  return {message.embeddings().begin(), message.embeddings().end()};
}

TEST(TeiGrpc, EmbeddingsAreThoseOfHttp) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  const std::string text = "w1 w2 \u00e9\u00e9 w3";
  v1::EmbedRequest request;
  request.set_inputs(text);
  v1::EmbedResponse response;
  for (const bool normalize : {false, true}) {
    request.set_normalize(normalize);
    ASSERT_TRUE(call(channel, kTei + "Embed/Embed", request, response).ok());
    const Json json = over_http(server, "/embed", {{"inputs", text}, {"normalize", normalize}});
    EXPECT_EQ(numbers_of(response), json[0].get<std::vector<float>>()) << normalize;
  }
  EXPECT_EQ(response.metadata().compute_chars(), 11U) << "code points, not bytes";
  EXPECT_GE(response.metadata().compute_tokens(), 6U);
  EXPECT_GT(response.metadata().inference_time_ns(), 0U);
  EXPECT_GE(response.metadata().total_time_ns(), response.metadata().inference_time_ns());
  request.set_dimensions(4);
  ASSERT_TRUE(call(channel, kTei + "Embed/Embed", request, response).ok());
  const Json cut = over_http(server, "/embed", {{"inputs", text}, {"dimensions", 4}});
  EXPECT_EQ(numbers_of(response), cut[0].get<std::vector<float>>());

  v1::EmbedAllRequest all;
  v1::EmbedAllResponse tokens;
  all.set_inputs(text);
  ASSERT_TRUE(call(channel, kTei + "Embed/EmbedAll", all, tokens).ok());
  const Json json = over_http(server, "/embed_all", {{"inputs", text}});
  ASSERT_EQ(tokens.token_embeddings_size(), std::ssize(json[0]));
  for (int t = 0; t < tokens.token_embeddings_size(); ++t) {
    EXPECT_EQ(numbers_of(tokens.token_embeddings(t)), json[0][static_cast<size_t>(t)].get<std::vector<float>>());
  }
}

TEST(TeiGrpc, ATextIsCutOnTheSideThatIsAskedFor) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  std::string text;
  for (int i = 0; i < 100; ++i) text.append("w").append(std::to_string(i % 20)).append(" ");
  v1::EmbedRequest request;
  v1::EmbedResponse response;
  request.set_inputs(text);
  EXPECT_EQ(call(channel, kTei + "Embed/Embed", request, response).error_code(), StatusCode::INVALID_ARGUMENT);
  request.set_truncate(true);
  for (const bool left : {false, true}) {
    request.set_truncation_direction(left ? v1::TRUNCATION_DIRECTION_LEFT : v1::TRUNCATION_DIRECTION_RIGHT);
    ASSERT_TRUE(call(channel, kTei + "Embed/Embed", request, response).ok());
    const Json json = over_http(server, "/embed",
                                {{"inputs", text},
                                 {"truncate", true},
                                 {"normalize", false},
                                 {"truncation_direction", left ? "Left" : "Right"}});
    EXPECT_EQ(numbers_of(response), json[0].get<std::vector<float>>()) << left;
  }
}

TEST(TeiGrpc, AStreamHasAnAnswerForEachTextAndEndsAtAnError) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  v1::EmbedRequest request;
  v1::EmbedResponse response, alone;
  const std::vector<std::string> texts = {"w1", "w2 w3 w4", "w5", "w6 w7"};
  {
    grpc::ClientContext context;
    const auto stream = stream_to<v1::EmbedRequest, v1::EmbedResponse>(channel, kTei + "Embed/EmbedStream", context);
    for (const std::string& text : texts) {
      request.set_inputs(text);
      ASSERT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
    for (const std::string& text : texts) {
      request.set_inputs(text);
      ASSERT_TRUE(stream->Read(&response));
      ASSERT_TRUE(call(channel, kTei + "Embed/Embed", request, alone).ok());
      EXPECT_EQ(numbers_of(response), numbers_of(alone)) << text;
    }
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_TRUE(stream->Finish().ok());
  }
  grpc::ClientContext context;
  const auto stream = stream_to<v1::EmbedRequest, v1::EmbedResponse>(channel, kTei + "Embed/EmbedStream", context);
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  request.set_prompt_name("none");
  ASSERT_TRUE(stream->Write(request));
  EXPECT_FALSE(stream->Read(&response));
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("prompt_name"), std::string::npos);
}

void expect_predictions(const v1::PredictResponse& response, const Json& json) {
  ASSERT_EQ(response.predictions_size(), std::ssize(json));
  for (int i = 0; i < response.predictions_size(); ++i) {
    const Json& one = json[static_cast<size_t>(i)];
    EXPECT_EQ(response.predictions(i).label(), one["label"].get<std::string>());
    EXPECT_EQ(response.predictions(i).score(), one["score"].get<float>());
  }
}

TEST(TeiGrpc, LabelsAreThoseOfHttp) {
  TestServer server(with_labels({"bad", "fair", "good"}));
  const auto channel = channel_to(server);
  for (const bool raw : {false, true}) {
    v1::PredictRequest request;
    v1::PredictPairRequest pair;
    v1::PredictResponse response;
    request.set_inputs("w1 w2");
    request.set_raw_scores(raw);
    ASSERT_TRUE(call(channel, kTei + "Predict/Predict", request, response).ok());
    expect_predictions(response, over_http(server, "/predict", {{"inputs", "w1 w2"}, {"raw_scores", raw}}));
    pair.add_inputs("w1 w2");
    pair.add_inputs("w3");
    pair.set_raw_scores(raw);
    ASSERT_TRUE(call(channel, kTei + "Predict/PredictPair", pair, response).ok());
    expect_predictions(response, over_http(server, "/predict", {{"inputs", {"w1 w2", "w3"}}, {"raw_scores", raw}}));
    pair.add_inputs("w4");
    EXPECT_EQ(call(channel, kTei + "Predict/PredictPair", pair, response).error_code(), StatusCode::INVALID_ARGUMENT);
  }
  v1::InfoResponse info;
  ASSERT_TRUE(call(channel, kTei + "Info/Info", v1::InfoRequest(), info).ok());
  EXPECT_EQ(info.model_type(), v1::MODEL_TYPE_CLASSIFIER);
  EXPECT_EQ(info.model_id(), "tiny");
  EXPECT_EQ(info.max_input_length(), 64U);
  // What this model does not do.
  v1::EmbedResponse embedding;
  v1::RerankResponse ranks;
  EXPECT_EQ(call(channel, kTei + "Embed/Embed", v1::EmbedRequest(), embedding).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call(channel, kTei + "Rerank/Rerank", v1::RerankRequest(), ranks).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call(channel, kTei + "Embed/EmbedSparse", v1::EmbedRequest(), embedding).error_code(),
            StatusCode::UNIMPLEMENTED);
}

TEST(TeiGrpc, RanksAreThoseOfHttp) {
  TestServer server(with_labels({"relevance"}));
  const auto channel = channel_to(server);
  const std::vector<std::string> texts = {"w4", "w5 w6", "w7 w8 w9"};
  v1::RerankRequest request;
  v1::RerankResponse response;
  request.set_query("w1 w2");
  request.set_return_text(true);
  for (const std::string& text : texts) request.add_texts(text);
  ASSERT_TRUE(call(channel, kTei + "Rerank/Rerank", request, response).ok());
  const Json json = over_http(server, "/rerank", {{"query", "w1 w2"}, {"texts", texts}, {"return_text", true}});
  ASSERT_EQ(response.ranks_size(), 3);
  for (int i = 0; i < 3; ++i) {
    const Json& one = json[static_cast<size_t>(i)];
    EXPECT_EQ(response.ranks(i).index(), one["index"].get<uint32_t>());
    EXPECT_EQ(response.ranks(i).text(), one["text"].get<std::string>());
    EXPECT_EQ(response.ranks(i).score(), one["score"].get<float>());
  }
  request.set_return_text(false);
  ASSERT_TRUE(call(channel, kTei + "Rerank/Rerank", request, response).ok());
  EXPECT_FALSE(response.ranks(0).has_text());
  for (int i = 0; i < 30; ++i) request.add_texts("w1");
  EXPECT_EQ(call(channel, kTei + "Rerank/Rerank", request, response).error_code(), StatusCode::INVALID_ARGUMENT)
      << "at most 32 inputs";
  v1::InfoResponse info;
  ASSERT_TRUE(call(channel, kTei + "Info/Info", v1::InfoRequest(), info).ok());
  EXPECT_EQ(info.model_type(), v1::MODEL_TYPE_RERANKER);
}

TEST(TeiGrpc, TokensAreThoseOfHttpAndComeBackAsText) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  v1::EncodeRequest request;
  v1::EncodeResponse response;
  request.set_inputs("w1 w2 w3");
  for (const bool special : {false, true}) {
    request.set_add_special_tokens(special);
    ASSERT_TRUE(call(channel, kTei + "Tokenize/Tokenize", request, response).ok());
    const Json json = over_http(server, "/tokenize", {{"inputs", "w1 w2 w3"}, {"add_special_tokens", special}});
    ASSERT_EQ(response.tokens_size(), std::ssize(json[0]));
    for (int t = 0; t < response.tokens_size(); ++t) {
      const auto& token = response.tokens(t);
      const Json& one = json[0][static_cast<size_t>(t)];
      EXPECT_EQ(token.id(), one["id"].get<uint32_t>());
      EXPECT_EQ(token.text(), one["text"].get<std::string>());
      EXPECT_EQ(token.special(), one["special"].get<bool>());
      EXPECT_EQ(token.has_start(), !one["start"].is_null());
      EXPECT_TRUE(one["stop"].is_null() || token.stop() == one["stop"].get<uint32_t>());
    }
  }
  v1::DecodeRequest ids;
  v1::DecodeResponse text;
  for (const auto& token : response.tokens()) ids.add_ids(token.id());
  ids.set_skip_special_tokens(true);
  ASSERT_TRUE(call(channel, kTei + "Tokenize/Decode", ids, text).ok());
  EXPECT_EQ(text.text(), "w1 w2 w3");
  ids.add_ids(UINT32_MAX);
  EXPECT_EQ(call(channel, kTei + "Tokenize/Decode", ids, text).error_code(), StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace suanli::serve
