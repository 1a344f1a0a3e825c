/// A client of the server's gRPC, and handlers that tests answer by hand.
#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/sync_stream.h>

#include <fstream>

#include "inference.pb.h"
#include "serve/open_inference.h"
#include "serve/test_server.h"

namespace suanli::serve {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using Channel = std::shared_ptr<grpc::Channel>;

/// A connection of its own: gRPC gives one to all channels of one address otherwise.
inline Channel channel_to(const TestServer& server, grpc::ChannelArguments arguments = {}) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server.server->grpc_port()),
                                   grpc::InsecureChannelCredentials(), arguments);
}

inline const std::string kInference = "/inference.GRPCInferenceService/";

template <class Out, class In>
grpc::Status call(const Channel& channel, const std::string& path, const In& in, Out& out,
                  grpc::ClientContext* given = nullptr) {
  grpc::ClientContext own;
  grpc::ClientContext& context = given != nullptr ? *given : own;
  if (given == nullptr) context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, channel);
  return grpc::internal::BlockingUnaryCall<In, Out, google::protobuf::Message, google::protobuf::Message>(
      channel.get(), method, &context, in, &out);
}

inline grpc::Status infer(const Channel& channel, const ModelInferRequest& request, ModelInferResponse& response,
                          grpc::ClientContext* context = nullptr) {
  return call(channel, kInference + "ModelInfer", request, response, context);
}

inline ModelInferRequest text_request(const std::vector<std::string>& texts) {
  ModelInferRequest request;
  request.set_model_name("tiny");
  auto& input = *request.add_inputs();
  input.set_name("text");
  input.set_datatype("BYTES");
  input.add_shape(static_cast<int64_t>(texts.size()));
  std::string& data = *request.add_raw_input_contents();
  for (const std::string& text : texts) append_bytes_element(data, text);
  return request;
}

inline TestServerOptions with_grpc() {
  TestServerOptions options;
  options.server.grpc_port = 0;
  return options;
}

template <class In, class Out>
using Stream = std::unique_ptr<grpc::ClientReaderWriter<In, Out>>;

template <class In, class Out>
Stream<In, Out> stream_to(const Channel& channel, const std::string& path, grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING);
  return Stream<In, Out>(grpc::internal::ClientReaderWriterFactory<In, Out>::Create(channel.get(), method, &context));
}

inline std::filesystem::path keys_file(const std::string& text) {
  static int number = 0;
  const auto file = std::filesystem::temp_directory_path() /
                    ("suanli_grpc_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  std::ofstream(file) << text;
  return file;
}

/// A method whose handler keeps its exchange until it is told to answer.
struct Kept {
  std::mutex mutex;
  std::vector<ExchangePointer> all;
  Method method(bool many = false) {
    const auto keep = [this](const ExchangePointer& exchange) {
      const std::lock_guard lock(mutex);
      all.push_back(exchange);
    };
    return {.scope = Scope::infer, .handler = keep, .many = many};
  }
  ExchangePointer at(size_t i) {
    const std::lock_guard lock(mutex);
    return all.at(i);
  }
  size_t wait_for(size_t count) {
    for (int i = 0; i < 2000; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (all.size() >= count) return all.size();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return 0;
  }
};

}  // namespace suanli::serve
