#include "serve/grpc_health.h"

#include <algorithm>

#include "health.pb.h"
#include "serve/grpc_message.h"

namespace suanli::serve {

namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Status = HealthCheckResponse::ServingStatus;

/// Of the server (""), of a service of gRPC, or of a model.
Status status_of_service(const Methods& methods, const Service& service, const std::string& name) {
  const auto serving = [](bool yes) { return yes ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING; };
  const bool ready = service.ready();
  const std::string path = "/" + name + "/";
  const auto method = methods.all.lower_bound(path);
  if (name.empty() || (method != methods.all.end() && method->first.starts_with(path))) {
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

using StatusOf = std::function<Status(const std::string& name)>;

/// Those who want to hear of every change. All of it runs on the thread of gRPC.
class Watchers {
 public:
  explicit Watchers(StatusOf status_of) : status_of_(std::move(status_of)) {}

  void add(const ExchangePointer& exchange, const std::string& name) {
    const Status status = status_of_(name);
    exchange->begin({.body = {}});
    exchange->write(bytes_of_status(status));
    all_.push_back({exchange, name, status});
  }
  void tell() {
    std::erase_if(all_, [](const Watcher& watcher) { return watcher.exchange->cancelled()->load(); });
    for (Watcher& watcher : all_) {
      const Status status = status_of_(watcher.name);
      if (std::exchange(watcher.last, status) != status) watcher.exchange->write(bytes_of_status(status));
    }
  }

 private:
  struct Watcher {
    ExchangePointer exchange;
    std::string name;
    Status last;
  };
  StatusOf status_of_;
  std::vector<Watcher> all_;
};

}  // namespace

void add_health_methods(Methods& methods, const Service& service) {
  const StatusOf status_of = [&methods, service](const std::string& name) {
    return status_of_service(methods, service, name);
  };
  const auto watchers = std::make_shared<Watchers>(status_of);
  methods.all["/grpc.health.v1.Health/Check"] = {
      .scope = Scope::open, .handler = [status_of](const ExchangePointer& exchange) {
        const Status status = status_of(message_of<HealthCheckRequest>(exchange).service());
        if (status == HealthCheckResponse::SERVICE_UNKNOWN) throw RequestError(Fault::not_found, "no such service");
        exchange->answer({.body = bytes_of_status(status)});
      }};
  methods.all["/grpc.health.v1.Health/Watch"] = {.scope = Scope::open,
                                                 .handler = [watchers](const ExchangePointer& exchange) {
                                                   const auto request = message_of<HealthCheckRequest>(exchange);
                                                   watchers->add(exchange, request.service());
                                                 }};
  methods.while_streaming = [watchers] { watchers->tell(); };
}

}  // namespace suanli::serve
