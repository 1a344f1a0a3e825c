// Calls of gRPC with many messages: the answers' order, errors, admission, cancellation, the end.
#include <gtest/gtest.h>

#include "serve/grpc_client.h"

namespace suanli::serve {
namespace {

using grpc::StatusCode;
using inference::ModelStreamInferResponse;
using Text = inference::ServerMetadataResponse;  // any message with a text

constexpr const char* kWait = "/test/WaitMany";
const std::string kStream = kInference + "ModelStreamInfer";

Stream<ModelInferRequest, ModelStreamInferResponse> infer_stream(const Channel& channel, grpc::ClientContext& context) {
  return stream_to<ModelInferRequest, ModelStreamInferResponse>(channel, kStream, context);
}

Stream<Text, Text> waiting_stream(const Channel& channel, grpc::ClientContext& context) {
  return stream_to<Text, Text>(channel, kWait, context);
}

Text text_of(const std::string& name) {
  Text text;
  text.set_name(name);
  return text;
}

TestServerOptions with_kept(Kept& kept) {
  TestServerOptions options = with_grpc();
  options.more_methods = [&](Methods& methods) { methods.all[kWait] = kept.method(true); };
  return options;
}

void answer(const ExchangePointer& exchange, const std::string& name) {
  exchange->answer({.body = text_of(name).SerializeAsString()});
}

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

TEST(GrpcStream, ManyRequestsAreUnderWayAndEachAnswerIsThatOfModelInfer) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  constexpr int kRequests = 200;  // more than are read at once
  std::vector<ModelInferRequest> requests;
  for (int i = 0; i < kRequests; ++i) {
    requests.push_back(text_request({i % 3 == 0 ? "w1 w2 w3 w4 w5 w6 w7" : i % 3 == 1 ? "w8" : "w9 w10"}));
    requests.back().set_id(std::to_string(i));
  }
  grpc::ClientContext context;
  const auto stream = infer_stream(channel, context);
  for (const auto& request : requests) ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->WritesDone());
  for (int i = 0; i < kRequests; ++i) {
    ModelStreamInferResponse answer;
    ASSERT_TRUE(stream->Read(&answer)) << i;
    EXPECT_EQ(answer.error_message(), "");
    ASSERT_EQ(answer.infer_response().id(), std::to_string(i)) << "in the order of the requests";
    if (i > 8) continue;
    ModelInferResponse alone;
    ASSERT_TRUE(infer(channel, requests[static_cast<size_t>(i)], alone).ok());
    EXPECT_EQ(answer.infer_response().SerializeAsString(), alone.SerializeAsString());
  }
  ModelStreamInferResponse none;
  EXPECT_FALSE(stream->Read(&none));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(GrpcStream, AnErrorIsTheAnswerToItsRequestAlone) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  grpc::ClientContext context;
  const auto stream = infer_stream(channel, context);
  for (const char* model : {"tiny", "other", "tiny"}) {
    ModelInferRequest request = text_request({"w1"});
    request.set_model_name(model);
    request.set_id(std::string("of ") + model);
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  for (const char* model : {"tiny", "other", "tiny"}) {
    ModelStreamInferResponse answer;
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_EQ(answer.infer_response().id(), std::string("of ") + model);
    EXPECT_EQ(answer.error_message(), model == std::string("other") ? "no model of that name" : "");
    EXPECT_EQ(answer.infer_response().outputs_size(), model == std::string("other") ? 0 : 1);
  }
  EXPECT_TRUE(stream->Finish().ok());
  Client client(server.port());
  const std::string metrics = client.request("GET", "/metrics").body;
  EXPECT_NE(metrics.find("{code=\"404\",model=\"\",route=\"" + kStream + "\"} 1"), std::string::npos);
}

TEST(GrpcStream, AnAnswerWaitsForThoseBeforeIt) {
  Kept kept;
  TestServer server(with_kept(kept));
  grpc::ClientContext context;
  const auto stream = waiting_stream(channel_to(server), context);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(3), 3U);
  EXPECT_NE(kept.all[0]->request().id, kept.all[1]->request().id) << "by which a label may come later";
  answer(kept.all[2], "third");
  answer(kept.all[1], "second");
  answer(kept.all[0], "first");
  Text text;
  for (const char* expected : {"first", "second", "third"}) {
    ASSERT_TRUE(stream->Read(&text));
    EXPECT_EQ(text.name(), expected);
  }
}

TEST(GrpcStream, WithoutAFormForErrorsOneEndsTheCallBehindTheAnswersBeforeIt) {
  Kept kept;
  TestServer server(with_kept(kept));
  grpc::ClientContext context;
  const auto stream = waiting_stream(channel_to(server), context);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(3), 3U);
  kept.all[1]->answer({.status = 404, .body = "gone"});
  answer(kept.all[0], "first");
  Text text;
  ASSERT_TRUE(stream->Read(&text));
  EXPECT_FALSE(stream->Read(&text));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::NOT_FOUND);
  EXPECT_TRUE(soon([&] { return kept.all[2]->cancelled()->load(); })) << "nobody waits for the third";
  kept.all.clear();
}

TEST(GrpcStream, MoreIsReadAsAnswersLeave) {
  Kept kept;
  TestServerOptions options = with_kept(kept);
  options.server.limits.requests_per_stream = 2;
  TestServer server(options);
  grpc::ClientContext context;
  const auto stream = waiting_stream(channel_to(server), context);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  stream->WritesDone();
  ASSERT_EQ(kept.wait_for(2), 2U);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(kept.wait_for(2), 2U) << "a third was read";
  Text text;
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_GT(kept.wait_for(i + 1), i);
    answer(kept.at(i), std::to_string(i));
    ASSERT_TRUE(stream->Read(&text));
    EXPECT_EQ(text.name(), std::to_string(i));
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(GrpcStream, EveryRequestIsCountedAmongThoseUnderWay) {
  Kept kept;
  TestServerOptions options = with_kept(kept);
  options.server.limits.in_flight = 2;
  TestServer server(options);
  const auto channel = channel_to(server);
  grpc::ClientContext context, other;
  const auto stream = waiting_stream(channel, context);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(2), 2U);
  const auto infers = infer_stream(channel, other);
  ModelStreamInferResponse answered;
  ASSERT_TRUE(infers->Write(text_request({"w1"})) && infers->Read(&answered));
  EXPECT_NE(answered.error_message().find("as many requests as it takes"), std::string::npos);
  Client client(server.port());
  EXPECT_EQ(client.post("/embed", R"({"inputs":"w1"})").status, 429);
  Text text;
  for (const auto& exchange : kept.all) answer(exchange, "");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(stream->Read(&text));
  ASSERT_TRUE(infers->Write(text_request({"w1"})) && infers->Read(&answered));
  EXPECT_EQ(answered.error_message(), "") << "the places are free again, and the stream goes on";
}

TEST(GrpcStream, EveryRequestCountsForItsKey) {
  TestServerOptions options = with_grpc();
  options.server.keys_file = keys_file(hash_of_key("two") + " two infer 2\n");
  TestServer server(options);
  grpc::ClientContext context;
  context.AddMetadata("x-api-key", "two");
  const auto stream = infer_stream(channel_to(server), context);
  ModelStreamInferResponse answered;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Write(text_request({"w1"})) && stream->Read(&answered));
    EXPECT_EQ(answered.error_message().find("used up") != std::string::npos, i == 2) << answered.error_message();
  }
}

TEST(GrpcStream, AClientThatLeavesCancelsAllOfItsWork) {
  Kept kept;
  TestServer server(with_kept(kept));
  grpc::ClientContext context;
  const auto stream = waiting_stream(channel_to(server), context);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(3), 3U);
  context.TryCancel();
  for (const auto& exchange : kept.all) {
    EXPECT_TRUE(soon([&] { return exchange->cancelled()->load(); }));
    answer(exchange, "");
  }
}

TEST(GrpcStream, AStreamWithoutMessagesIsClosedButNotOneThatWaitsForAnAnswer) {
  Kept kept;
  TestServerOptions options = with_kept(kept);
  options.server.limits.idle_time = seconds(1);
  TestServer server(options);
  const auto channel = channel_to(server);
  grpc::ClientContext silent, waiting;
  const auto first = waiting_stream(channel, silent), second = waiting_stream(channel, waiting);
  ASSERT_TRUE(second->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(1), 1U);
  Text text;
  EXPECT_FALSE(first->Read(&text));
  EXPECT_EQ(first->Finish().error_code(), StatusCode::CANCELLED);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  answer(kept.all[0], "late");
  EXPECT_TRUE(second->Read(&text));
}

TEST(GrpcStream, AClientThatTakesNoAnswersIsCutOff) {
  Kept kept;
  TestServerOptions options = with_kept(kept);
  options.server.limits.write_time = seconds(1);
  TestServer server(options);
  const auto channel = channel_to(server);
  grpc::ClientContext context;
  const auto stream = waiting_stream(channel, context);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(2), 2U);
  answer(kept.all[0], std::string(32 << 20, 'a'));  // more than what is taken before the client reads
  EXPECT_TRUE(soon([&] { return kept.all[1]->cancelled()->load(); }));
  kept.all.clear();
}

TEST(GrpcStream, AtTheEndWhatWasTakenIsAnsweredAndTheStreamEnds) {
  Kept kept;
  TestServer server(with_kept(kept));
  const auto channel = channel_to(server);
  grpc::ClientContext context, idle_context;
  const auto stream = waiting_stream(channel, context);
  const auto idle = infer_stream(channel, idle_context);
  ModelStreamInferResponse answered;
  ASSERT_TRUE(idle->Write(text_request({"w1"})) && idle->Read(&answered));
  ASSERT_TRUE(stream->Write(text_of("")));
  ASSERT_EQ(kept.wait_for(1), 1U);
  server.server->stop();
  while (server.server->ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(idle->Write(text_request({"w1"})) && idle->Read(&answered));
  EXPECT_EQ(answered.error_message(), "the server is about to end");
  answer(kept.all[0], "last");
  Text text;
  ASSERT_TRUE(stream->Read(&text));
  EXPECT_EQ(text.name(), "last");
  EXPECT_FALSE(stream->Read(&text));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_FALSE(idle->Read(&answered));
  EXPECT_TRUE(idle->Finish().ok());
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace suanli::serve
