#include "serve/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include "base/error.h"
#include "serve/grpc_call.h"

namespace suanli::serve {

namespace {

constexpr int kStreams = 100;  // of one connection
constexpr auto kTick = std::chrono::milliseconds(200);
constexpr auto kEndTime = std::chrono::seconds(1);  // for streams to hear of the end

int milliseconds(seconds time) { return static_cast<int>(std::chrono::milliseconds(time).count()); }

/// Every limit of gRPC that differs from its default.
void set_limits(grpc::ServerBuilder& builder, const Limits& limits) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<size_t>(limits.binary_bytes, INT32_MAX)));
  builder.SetMaxSendMessageSize(-1);
  // A few bytes that unfold to many are not taken.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(limits.header_bytes));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(limits.head_time));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, milliseconds(limits.idle_time));
  // A peer that has gone without a word, and one that asks too often whether we have.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(limits.idle_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(limits.head_time));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, milliseconds(limits.head_time));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  grpc::ResourceQuota memory;
  memory.Resize(4 * limits.binary_bytes + (256 << 20));
  builder.SetResourceQuota(memory);
}

}  // namespace

struct GrpcServer::Parts {
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  std::thread thread;
};

GrpcServer::GrpcServer(const Methods& methods, Gate& gate, const Limits& limits, monitor::ServiceMetrics& metrics)
    : front_(new GrpcFront{.methods = methods, .gate = gate, .limits = limits, .metrics = metrics}),
      parts_(std::make_unique<Parts>()) {
  // What the libraries would write of requests is not for the log, and clients decide how often.
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
  grpc::ServerBuilder builder;
  set_limits(builder, limits);
  builder.RegisterAsyncGenericService(&front_->service);
  front_->queue = builder.AddCompletionQueue();
  using Builder = grpc::ServerBuilder::experimental_type;
  parts_->acceptor = builder.experimental().AddExternalConnectionAcceptor(Builder::ExternalConnectionType::FROM_FD,
                                                                          grpc::InsecureServerCredentials());
  parts_->server = builder.BuildAndStart();
  if (!parts_->server) throw EnvironmentError("serve", "gRPC does not start");
  parts_->thread = std::thread([this] { run(); });
}

GrpcServer::~GrpcServer() { stop(); }

void GrpcServer::serve(int socket) {
  if (!parts_->acceptor) {  // stopped
    close(socket);
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = socket;
  parts_->acceptor->HandleNewConnection(&connection);
}

void GrpcServer::run() {
  front_->thread = std::this_thread::get_id();
  GrpcCall::wait_for_next(front_);
  auto tick = std::chrono::system_clock::now();
  for (;;) {
    const bool watched = front_->streams > 0 || front_->waiting > 0;
    const auto until = watched ? tick + kTick : std::chrono::system_clock::time_point::max();
    void* tag = nullptr;
    bool ok = false;
    const auto status = front_->queue->AsyncNext(&tag, &ok, until);
    if (status == grpc::CompletionQueue::SHUTDOWN) return;
    if (status == grpc::CompletionQueue::GOT_EVENT) static_cast<GrpcTag*>(tag)->fire(ok);
    const auto now = std::chrono::system_clock::now();
    if (!watched) tick = now;
    if (now < tick + kTick) continue;
    tick = now;
    const std::set<std::shared_ptr<GrpcCall>> calls = front_->calls;
    for (const auto& call : calls) call->check_client(infer::Clock::now());
    if (front_->streams > 0) front_->methods.while_streaming();
  }
}

void GrpcServer::stop() {
  if (!parts_->thread.joinable()) return;
  front_->post([front = front_] {
    if (front->streams > 0) front->methods.while_streaming();
    const std::set<std::shared_ptr<GrpcCall>> calls = front->calls;
    for (const auto& call : calls) call->end_stream();
  });
  parts_->server->Shutdown(std::chrono::system_clock::now() + kEndTime);
  {
    const std::lock_guard lock(front_->post_mutex);
    front_->ended = true;
  }
  front_->queue->Shutdown();
  parts_->thread.join();
  front_->calls.clear();
  parts_->acceptor.reset();
  parts_->server.reset();
}

}  // namespace suanli::serve
