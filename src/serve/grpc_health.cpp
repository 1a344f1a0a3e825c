#include "serve/grpc_health.h"

#include <algorithm>

#include "health.pb.h"
#include "serve/grpc_message.h"

namespace suanli::serve {

namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Status = HealthCheckResponse::ServingStatus;

Status status_of_service(const Service& service, const std::string& name) {
  const auto serving = [](bool yes) { return yes ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING; };
  const bool ready = service.ready();
  if (name.empty() || name == "inference.GRPCInferenceService") {
    return serving(ready && !service.models.loaded().empty());
  }
  for (const auto& entry : service.models.index()) {
    if (entry.name == name) return serving(ready && entry.ready);
  }
  return HealthCheckResponse::SERVICE_UNKNOWN;
}

std::string bytes_of_status(Status status) {
  HealthCheckResponse response;
  response.set_status(status);
  return response.SerializeAsString();
}

/// Those who want to hear of every change. All of it runs on the thread of gRPC.
class Watchers {
 public:
  void add(const Service& service, const ExchangePointer& exchange, const std::string& name) {
    const Status status = status_of_service(service, name);
    exchange->begin({.body = {}});
    exchange->write(bytes_of_status(status));
    all_.push_back({exchange, name, status});
  }
  void tell(const Service& service) {
    std::erase_if(all_, [](const Watcher& watcher) { return watcher.exchange->cancelled()->load(); });
    for (Watcher& watcher : all_) {
      const Status status = status_of_service(service, watcher.name);
      if (std::exchange(watcher.last, status) != status) watcher.exchange->write(bytes_of_status(status));
    }
  }

 private:
  struct Watcher {
    ExchangePointer exchange;
    std::string name;
    Status last;
  };
  std::vector<Watcher> all_;
};

}  // namespace

void add_health_methods(Methods& methods, const Service& service) {
  const auto watchers = std::make_shared<Watchers>();
  methods.all["/grpc.health.v1.Health/Check"] = {
      .scope = Scope::open, .handler = [service](const ExchangePointer& exchange) {
        const Status status = status_of_service(service, message_of<HealthCheckRequest>(exchange).service());
        if (status == HealthCheckResponse::SERVICE_UNKNOWN) throw RequestError(Fault::not_found, "no such service");
        exchange->answer({.body = bytes_of_status(status)});
      }};
  methods.all["/grpc.health.v1.Health/Watch"] = {
      .scope = Scope::open, .handler = [service, watchers](const ExchangePointer& exchange) {
        watchers->add(service, exchange, message_of<HealthCheckRequest>(exchange).service());
      }};
  methods.while_streaming = [service, watchers] { watchers->tell(service); };
}

}  // namespace suanli::serve
