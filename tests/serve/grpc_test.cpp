// gRPC: the same answers as over HTTP, the same admission, and an end that clients hear of.
#include <gtest/gtest.h>

#include "expect_error.h"
#include "health.pb.h"
#include "reflection.pb.h"
#include "reflection_v1.pb.h"
#include "rpc_status.pb.h"
#include "serve/grpc_client.h"
#include "serve/grpc_message.h"

namespace suanli::serve {
namespace {

using grpc::StatusCode;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

/// The bytes of the outputs that HTTP gives for the same texts, as "binary_data".
std::string http_outputs(const TestServer& server, const std::vector<std::string>& texts) {
  Json body = {{"parameters", {{"binary_data_output", true}}},
               {"inputs", {{{"name", "text"}, {"datatype", "BYTES"}, {"shape", {texts.size()}}, {"data", texts}}}}};
  Client client(server.port());
  const Reply reply = client.post("/v2/models/tiny/infer", body.dump());
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.body.substr(static_cast<size_t>(std::stol(reply.header("Inference-Header-Content-Length"))));
}

std::string joined(const ModelInferResponse& response) {
  std::string all;
  for (const std::string& bytes : response.raw_output_contents()) all += bytes;
  return all;
}

TEST(Grpc, AnswersAreThoseOfHttpToTheBit) {
  const std::vector<std::string> texts = {"w1 w2 w3", "w4", ""};
  for (const std::vector<std::string>& labels : {std::vector<std::string>{}, {"bad", "good"}}) {
    TestServerOptions options = with_grpc();
    options.model = tiny_model(labels);
    TestServer server(options);
    const auto channel = channel_to(server);
    const std::string expected = http_outputs(server, texts);
    ASSERT_GT(expected.size(), 10U);
    ModelInferResponse raw, typed;
    ModelInferRequest request = text_request(texts);
    request.set_id("17");
    ASSERT_TRUE(infer(channel, request, raw).ok());
    EXPECT_EQ(joined(raw), expected);
    EXPECT_EQ(raw.id(), "17");
    EXPECT_EQ(raw.model_version(), "1");
    EXPECT_EQ(raw.outputs_size(), labels.empty() ? 1 : 3);
    EXPECT_EQ(raw.outputs(0).shape(0), 3);

    request.clear_raw_input_contents();
    for (const auto& text : texts) request.mutable_inputs(0)->mutable_contents()->add_bytes_contents(text);
    ASSERT_TRUE(infer(channel, request, typed).ok());
    EXPECT_EQ(joined(typed), expected);
  }
}

TEST(Grpc, TokensComeRawAndTypedAndAnOutputByItsName) {
  TestServerOptions options = with_grpc();
  options.model = tiny_model({"bad", "good"});
  TestServer server(options);
  const auto channel = channel_to(server);
  std::vector<std::string> answers;
  for (const char* datatype : {"INT64", "INT32"}) {
    for (const bool raw : {true, false}) {
      ModelInferRequest request;
      request.set_model_name("tiny");
      request.add_outputs()->set_name("logits");
      auto& input = *request.add_inputs();
      input.set_name("input_ids");
      input.set_datatype(datatype);
      input.add_shape(1);
      input.add_shape(3);
      std::string data;
      for (const int64_t id : {7, 8, 9}) {
        if (raw)
          data.append(reinterpret_cast<const char*>(&id), datatype == std::string("INT64") ? 8 : 4);
        else if (datatype == std::string("INT64"))
          input.mutable_contents()->add_int64_contents(id);
        else
          input.mutable_contents()->add_int_contents(static_cast<int32_t>(id));
      }
      if (raw) request.add_raw_input_contents(data);
      ModelInferResponse response;
      const auto status = infer(channel, request, response);
      ASSERT_TRUE(status.ok()) << status.error_message();
      ASSERT_EQ(response.outputs_size(), 1);
      EXPECT_EQ(response.outputs(0).name(), "logits");
      answers.push_back(joined(response));
      EXPECT_EQ(answers.back(), answers.front()) << datatype << raw;
    }
  }
}

TEST(Grpc, WhatARequestHasWrongIsSaid) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  const auto expect = [&](const ModelInferRequest& request, StatusCode code, const std::string& part) {
    ModelInferResponse response;
    const auto status = infer(channel, request, response);
    EXPECT_EQ(status.error_code(), code) << part;
    EXPECT_NE(status.error_message().find(part), std::string::npos) << status.error_message();
  };
  const auto changed = [](auto&& change) {
    ModelInferRequest request = text_request({"w1"});
    change(request);
    return request;
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  expect(changed([](auto& r) { r.set_model_name("other"); }), StatusCode::NOT_FOUND, "no model of that name");
  expect(changed([](auto& r) { r.set_model_version("9"); }), StatusCode::NOT_FOUND, "no such version");
  expect(changed([](auto& r) { r.mutable_inputs(0)->set_name("words"); }), invalid, "the name of an input");
  expect(changed([](auto& r) { r.mutable_inputs(0)->set_datatype("FP32"); }), invalid, "BYTES, got FP32");
  expect(changed([](auto& r) { r.mutable_inputs(0)->set_shape(0, 2); }), invalid, "as many texts as its shape says");
  expect(changed([](auto& r) { r.mutable_inputs(0)->set_shape(0, -1); }), invalid, "a shape of at most");
  expect(changed([](auto& r) { r.mutable_inputs(0)->mutable_shape()->Resize(9, 1); }), invalid, "at most 8 sizes");
  expect(changed([](auto& r) { r.mutable_raw_input_contents(0)->pop_back(); }), invalid, "end within its data");
  expect(changed([](auto& r) { r.add_raw_input_contents("x"); }), invalid, "each of the 1 inputs, got 2");
  expect(changed([](auto& r) { r.mutable_inputs(0)->mutable_contents(); }), invalid, "contents or raw_input_contents");
  expect(changed([](auto& r) { r.clear_inputs(), r.clear_raw_input_contents(); }), invalid, "either the input");
  expect(changed([](auto& r) { r.add_outputs()->set_name("vector"); }), invalid, "\"vector\": expected the name");
  expect(changed([](auto& r) { (*r.mutable_parameters())["truncate"].set_int64_param(1); }), invalid, "true or false");
  expect(changed([](auto& r) { (*r.mutable_parameters())["priority"].set_int64_param(1001); }), invalid,
         "-1000 to 1000");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "w1 ";
  expect(text_request({many}), invalid, "at most 64 tokens");
  expect(text_request(std::vector<std::string>(33, "w1")), invalid, "at most 32 inputs");
  expect(changed([](auto& r) { r.mutable_inputs(0)->set_name(std::string(100'000, 'n')); }), invalid, "nnn");

  HealthCheckRequest other;  // its field 1 is a text; a ModelReadyRequest's, too, but 99 bytes of 0xff are no message
  inference::ModelReadyResponse response;
  other.GetReflection()->MutableUnknownFields(&other)->AddLengthDelimited(1, "\xff\xff");
  EXPECT_EQ(call(channel, kInference + "ModelReady", other, response).error_code(), invalid) << "not UTF-8";
  EXPECT_EQ(call(channel, kInference + "ModelConfig", other, response).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call(channel, "/a.b/C", other, response).error_code(), StatusCode::UNIMPLEMENTED);
}

TEST(Grpc, ServerAndModelsAreDescribed) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  inference::ServerLiveResponse live;
  inference::ServerReadyResponse ready;
  inference::ModelReadyResponse model_ready;
  inference::ServerMetadataResponse about;
  inference::ModelMetadataResponse model;
  inference::ModelStatisticsResponse statistics;
  inference::RepositoryIndexResponse index;
  inference::ModelReadyRequest named;
  named.set_name("tiny");
  ModelInferResponse answer;
  ASSERT_TRUE(infer(channel, text_request({"w1", "w2"}), answer).ok());
  EXPECT_TRUE(call(channel, kInference + "ServerLive", inference::ServerLiveRequest(), live).ok());
  EXPECT_TRUE(call(channel, kInference + "ServerReady", inference::ServerReadyRequest(), ready).ok());
  EXPECT_TRUE(call(channel, kInference + "ModelReady", named, model_ready).ok());
  EXPECT_TRUE(live.live() && ready.ready() && model_ready.ready());
  EXPECT_TRUE(call(channel, kInference + "ServerMetadata", inference::ServerMetadataRequest(), about).ok());
  EXPECT_EQ(about.name(), "suanli");
  EXPECT_TRUE(call(channel, kInference + "ModelMetadata", named, model).ok());
  EXPECT_EQ(model.inputs(0).name(), "text");
  EXPECT_EQ(model.outputs(0).name(), "embedding");
  EXPECT_EQ(model.outputs(0).shape(1), 16);
  for (const char* name : {"tiny", ""}) {
    inference::ModelStatisticsRequest request;
    request.set_name(name);
    EXPECT_TRUE(call(channel, kInference + "ModelStatistics", request, statistics).ok());
    ASSERT_EQ(statistics.model_stats_size(), 1);
    EXPECT_EQ(statistics.model_stats(0).inference_count(), 2U);
    EXPECT_EQ(statistics.model_stats(0).inference_stats().success().count(), 1U);
  }
  EXPECT_TRUE(call(channel, kInference + "RepositoryIndex", inference::RepositoryIndexRequest(), index).ok());
  EXPECT_EQ(index.models(0).state(), "READY");
  Client client(server.port());
  EXPECT_NE(client.request("GET", "/metrics").body.find(R"(route="/inference.GRPCInferenceService/ModelInfer")"),
            std::string::npos);
}

TEST(Grpc, EveryMethodAsksForAKeyOfItsScopeButThoseOfHealth) {
  TestServerOptions options = with_grpc();
  options.server.keys_file = keys_file(hash_of_key("a") + " a infer\n" + hash_of_key("m") + " m metrics\n" +
                                       hash_of_key("x") + " x admin\n" + hash_of_key("slow") + " slow infer 1\n");
  TestServer server(options);
  const auto channel = channel_to(server);
  const auto code = [&](const std::string& path, const std::string& header, const std::string& value) {
    grpc::ClientContext context;
    if (!header.empty()) context.AddMetadata(header, value);
    inference::ServerLiveRequest request;
    inference::ServerLiveResponse response;
    return call(channel, path, request, response, &context).error_code();
  };
  int open = 0;
  for (const auto& [path, method] : server.methods.all) {
    const bool is_open = method.scope == Scope::open;
    open += is_open ? 1 : 0;
    if (is_open) continue;
    EXPECT_EQ(code(path, "", ""), StatusCode::UNAUTHENTICATED) << path;
    EXPECT_EQ(code(path, "authorization", "Bearer wrong"), StatusCode::UNAUTHENTICATED) << path;
    EXPECT_EQ(code(path, "authorization", "a"), StatusCode::UNAUTHENTICATED) << path;
    const char* wrong = method.scope == Scope::infer ? "m" : "a";
    EXPECT_EQ(code(path, "x-api-key", wrong), StatusCode::PERMISSION_DENIED) << path;
  }
  EXPECT_EQ(open, 5) << "ServerLive, ServerReady, ModelReady, Check, Watch";
  EXPECT_EQ(code(kInference + "ServerLive", "", ""), StatusCode::OK);
  EXPECT_EQ(code(kInference + "ServerMetadata", "authorization", "Bearer a"), StatusCode::OK);
  EXPECT_EQ(code(kInference + "ModelStatistics", "x-api-key", "m"), StatusCode::OK);

  EXPECT_EQ(code(kInference + "ServerMetadata", "x-api-key", "slow"), StatusCode::OK);
  grpc::ClientContext context;
  context.AddMetadata("x-api-key", "slow");
  inference::ServerMetadataResponse response;
  const auto status =
      call(channel, kInference + "ServerMetadata", inference::ServerMetadataRequest(), response, &context);
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status details;
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&retry));
  EXPECT_GE(retry.retry_delay().seconds(), 1);
}

TEST(Grpc, ModelsAreLoadedWithAKeyThatAllowsIt) {
  TestServerOptions options = with_grpc();
  TestServer open(options);
  inference::RepositoryModelLoadRequest load;
  inference::RepositoryModelLoadResponse loaded;
  inference::RepositoryModelUnloadRequest unload;
  inference::RepositoryModelUnloadResponse unloaded;
  load.set_model_name("tiny");
  unload.set_model_name("tiny");
  EXPECT_EQ(call(channel_to(open), kInference + "RepositoryModelLoad", load, loaded).error_code(),
            StatusCode::PERMISSION_DENIED);
  options.server.keys_file = keys_file(hash_of_key("x") + " x infer,admin\n");
  TestServer server(options);
  const auto channel = channel_to(server);
  const auto code = [&](const std::string& name, const auto& request, auto& response) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer x");
    return call(channel, kInference + name, request, response, &context).error_code();
  };
  inference::ModelMetadataRequest named;
  inference::ModelMetadataResponse model;
  named.set_name("tiny");
  EXPECT_EQ(code("RepositoryModelLoad", load, loaded), StatusCode::OK);
  EXPECT_EQ(code("ModelMetadata", named, model), StatusCode::OK);
  EXPECT_EQ(model.versions(0), "2");
  EXPECT_EQ(code("RepositoryModelUnload", unload, unloaded), StatusCode::OK);
  EXPECT_EQ(code("ModelMetadata", named, model), StatusCode::UNAVAILABLE);
  load.set_model_name("none");
  EXPECT_EQ(code("RepositoryModelLoad", load, loaded), StatusCode::NOT_FOUND);
}

StatusCode wait_at(const Channel& channel, grpc::ClientContext* context = nullptr) {
  inference::ServerLiveResponse response;
  return call(channel, "/test/Wait", inference::ServerLiveRequest(), response, context).error_code();
}

TEST(Grpc, RequestsAtOnceAreCountedTogetherWithThoseOfHttp) {
  Kept kept;
  TestServerOptions options = with_grpc();
  options.server.limits.in_flight = 2;
  options.more_methods = [&](Methods& methods) { methods.all["/test/Wait"] = kept.method(); };
  TestServer server(options);
  const auto channel = channel_to(server);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([&] { EXPECT_EQ(wait_at(channel), StatusCode::OK); });
  }
  ASSERT_EQ(kept.wait_for(2), 2U);
  ModelInferResponse response;
  const auto status = infer(channel, text_request({"w1"}), response);
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("as many requests as it takes"), std::string::npos);
  Client client(server.port());
  EXPECT_EQ(client.post("/embed", R"({"inputs":"w1"})").status, 429);
  for (const auto& exchange : kept.all) exchange->answer({.body = ""});
  for (std::thread& thread : waiting) thread.join();
  EXPECT_TRUE(infer(channel, text_request({"w1"}), response).ok());
  EXPECT_EQ(client.post("/embed", R"({"inputs":"w1"})").status, 200);
}

TEST(Grpc, AClientThatCancelsOrWhoseTimeIsUpCancelsItsWork) {
  Kept kept;
  TestServerOptions options = with_grpc();
  options.more_methods = [&](Methods& methods) { methods.all["/test/Wait"] = kept.method(); };
  TestServer server(options);
  const auto channel = channel_to(server);
  const auto begin = infer::Clock::now();
  {
    grpc::ClientContext cancelled, late;
    late.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    std::thread canceller([&] {
      kept.wait_for(1);
      cancelled.TryCancel();
    });
    EXPECT_EQ(wait_at(channel, &cancelled), StatusCode::CANCELLED);
    canceller.join();
    EXPECT_EQ(wait_at(channel, &late), StatusCode::DEADLINE_EXCEEDED);
  }
  ASSERT_EQ(kept.wait_for(2), 2U);
  for (const auto& exchange : kept.all) {
    for (int i = 0; i < 2000 && !*exchange->cancelled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(*exchange->cancelled());
  }
  EXPECT_GT(kept.all[0]->request().deadline, begin + seconds(50)) << "ours, as the client has none";
  EXPECT_LT(kept.all[1]->request().deadline, begin + seconds(30)) << "the client's";
  for (const auto& exchange : kept.all) exchange->answer({.body = ""});
  ModelInferResponse response;
  EXPECT_TRUE(infer(channel, text_request({"w1"}), response).ok()) << "nothing of them is left";
}

TEST(Grpc, WorkWhoseTimeIsUpIsNotComputed) {
  TestServerOptions options = with_grpc();
  options.more_methods = [](Methods& methods) {
    methods.all["/test/Late"] = {.scope = Scope::infer, .handler = [&methods](const ExchangePointer& exchange) {
                                   std::this_thread::sleep_until(exchange->request().deadline);
                                   methods.all[kInference + "ModelInfer"].handler(exchange);
                                 }};
  };
  TestServer server(options);
  const auto channel = channel_to(server);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  ModelInferResponse response;
  EXPECT_EQ(call(channel, "/test/Late", text_request({"w1"}), response, &context).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  const ModelPointer model = server.models->get("tiny");
  for (int i = 0; i < 2000 && model->counts().fail == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(model->counts().fail, 1);
  EXPECT_EQ(model->counts().sequences, 0);
}

TEST(Grpc, AHandlerThatForgetsOrThrowsStillAnswers) {
  TestServerOptions options = with_grpc();
  options.more_methods = [](Methods& methods) {
    methods.all["/test/Forget"] = {.scope = Scope::infer, .handler = [](const ExchangePointer&) {}};
    methods.all["/test/Throw"] = {.scope = Scope::infer,
                                  .handler = [](const ExchangePointer&) { throw std::runtime_error("/secret"); }};
    methods.all["/test/Late"] = {.scope = Scope::infer, .handler = [](const ExchangePointer& exchange) {
                                   exchange->answer_with([]() -> Response { throw std::runtime_error("/secret"); });
                                 }};
  };
  TestServer server(options);
  const auto channel = channel_to(server);
  for (const char* path : {"/test/Forget", "/test/Throw", "/test/Late"}) {
    inference::ServerLiveResponse response;
    const auto status = call(channel, path, inference::ServerLiveRequest(), response);
    EXPECT_EQ(status.error_code(), StatusCode::INTERNAL) << path;
    EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
  }
}

using HealthReader = std::unique_ptr<grpc::ClientReader<HealthCheckResponse>>;

HealthReader watch(const Channel& channel, grpc::ClientContext& context, const std::string& service) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  HealthCheckRequest request;
  request.set_service(service);
  static const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Watch",
                                                grpc::internal::RpcMethod::SERVER_STREAMING);
  return HealthReader(
      grpc::internal::ClientReaderFactory<HealthCheckResponse>::Create(channel.get(), method, &context, request));
}

TEST(Grpc, HealthFollowsModelsAndTheEndOfTheServer) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  const auto check = [&](const std::string& service, HealthCheckResponse& response) {
    HealthCheckRequest request;
    request.set_service(service);
    return call(channel, "/grpc.health.v1.Health/Check", request, response).error_code();
  };
  HealthCheckResponse response;
  for (const char* service : {"", "tiny", "inference.GRPCInferenceService", "grpc.reflection.v1.ServerReflection"}) {
    EXPECT_EQ(check(service, response), StatusCode::OK) << service;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << service;
  }
  for (const char* service : {"other", "inference", "grpc.health.v1.Heal"}) {
    EXPECT_EQ(check(service, response), StatusCode::NOT_FOUND) << service;
  }

  grpc::ClientContext contexts[3];
  const auto model = watch(channel, contexts[0], "tiny"), all = watch(channel, contexts[1], ""),
             unknown = watch(channel, contexts[2], "other");
  const auto next = [&](const HealthReader& reader) {
    EXPECT_TRUE(reader->Read(&response));
    return response.status();
  };
  EXPECT_EQ(next(model), HealthCheckResponse::SERVING);
  EXPECT_EQ(next(all), HealthCheckResponse::SERVING);
  EXPECT_EQ(next(unknown), HealthCheckResponse::SERVICE_UNKNOWN);
  server.models->unload("tiny");
  EXPECT_EQ(next(model), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(next(all), HealthCheckResponse::NOT_SERVING) << "no model is left";
  server.models->load("tiny");
  EXPECT_EQ(next(model), HealthCheckResponse::SERVING);
  EXPECT_EQ(next(all), HealthCheckResponse::SERVING);
  std::thread stopper([&] { EXPECT_EQ(server.stop(), 0); });
  EXPECT_EQ(next(model), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(next(all), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(model->Read(&response));
  EXPECT_TRUE(model->Finish().ok());
  stopper.join();
}

TEST(Grpc, AtTheEndNewWorkIsRefusedAndOldWorkAnswered) {
  Kept kept;
  TestServerOptions options = with_grpc();
  options.more_methods = [&](Methods& methods) { methods.all["/test/Wait"] = kept.method(); };
  TestServer server(options);
  const auto channel = channel_to(server);
  std::thread waiting([&] { EXPECT_EQ(wait_at(channel), StatusCode::OK); });
  ASSERT_EQ(kept.wait_for(1), 1U);
  server.server->stop();
  while (server.server->ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ModelInferResponse response;
  EXPECT_EQ(infer(channel, text_request({"w1"}), response).error_code(), StatusCode::UNAVAILABLE);
  HealthCheckResponse health;
  EXPECT_TRUE(call(channel, "/grpc.health.v1.Health/Check", HealthCheckRequest(), health).ok());
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  kept.all[0]->answer({.body = ""});
  waiting.join();
  EXPECT_EQ(server.stop(), 0);
}

template <class Request, class Response>
void expect_reflection(const Channel& channel, const std::string& version) {
  grpc::ClientContext context;
  const auto stream = stream_to<Request, Response>(
      channel, "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo", context);
  Request request;
  Response response;
  request.set_list_services("");
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_EQ(names, (std::vector<std::string>{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                             "grpc.reflection.v1alpha.ServerReflection",
                                             "inference.GRPCInferenceService", "tei.v1.Embed", "tei.v1.Info",
                                             "tei.v1.Predict", "tei.v1.Rerank", "tei.v1.Tokenize"}));
  for (const std::string& name : names) {
    request.set_file_containing_symbol(name);
    ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
    EXPECT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1) << name;
  }
  request.set_file_by_filename("nowhere.proto");
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  EXPECT_EQ(response.error_response().error_code(), StatusCode::NOT_FOUND);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(Grpc, ReflectionDescribesWhatThereIsUnderBothOfItsNames) {
  TestServer server(with_grpc());
  const auto channel = channel_to(server);
  expect_reflection<grpc::reflection::v1::ServerReflectionRequest, grpc::reflection::v1::ServerReflectionResponse>(
      channel, "v1");
  expect_reflection<grpc::reflection::v1alpha::ServerReflectionRequest,
                    grpc::reflection::v1alpha::ServerReflectionResponse>(channel, "v1alpha");
}

TEST(Grpc, LimitsOfMessagesHeadersAndCompressionHold) {
  TestServerOptions options = with_grpc();
  options.server.limits.binary_bytes = 100'000;
  TestServer server(options);
  const auto channel = channel_to(server);
  ModelInferResponse response;
  EXPECT_EQ(infer(channel, text_request({std::string(101'000, 'a')}), response).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  grpc::ClientContext compressed, headers;
  compressed.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EXPECT_EQ(infer(channel, text_request({"w1"}), response, &compressed).error_code(), StatusCode::UNIMPLEMENTED);
  for (int i = 0; i < 101; ++i) headers.AddMetadata("x-" + std::to_string(i), "v");
  EXPECT_EQ(infer(channel, text_request({"w1"}), response, &headers).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(infer(channel, text_request({"w1"}), response).ok());
}

TEST(Grpc, OneAddressHasItsShareOfConnectionsOfBothKinds) {
  TestServerOptions options = with_grpc();
  options.server.limits.connections_per_address = 2;
  TestServer server(options);
  inference::ServerLiveResponse live;
  const auto alive = [&](const Channel& channel) {
    return call(channel, kInference + "ServerLive", inference::ServerLiveRequest(), live).error_code();
  };
  Client http(server.port());
  EXPECT_EQ(http.request("GET", "/health").status, 200);
  {
    const auto first = channel_to(server), second = channel_to(server);
    EXPECT_EQ(alive(first), StatusCode::OK);
    EXPECT_EQ(alive(second), StatusCode::UNAVAILABLE);
  }
  for (int tries = 0; tries < 100; ++tries) {  // until the server has seen that the first is gone
    if (alive(channel_to(server)) == StatusCode::OK) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << "the place of a closed connection is not given to another";
}

}  // namespace
}  // namespace suanli::serve
