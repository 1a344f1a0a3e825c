/// What a service counts: requests, queues, batches, tokens, answers; written in Prometheus' text format.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace suanli::monitor {

/// Parts of the time of one request, in seconds.
enum class Part { request, queue, tokenization, inference };

/// Names, units and labels as docs/monitoring.md lists them. Every function may be called from any thread.
class ServiceMetrics {
 public:
  ServiceMetrics();
  ~ServiceMetrics();

  /// A request has been answered. `route` is a route's pattern, never the path that came.
  void request(const std::string& route, const std::string& model, int status, double seconds);
  void part(Part part, const std::string& model, double seconds);
  void batch(const std::string& model, int64_t sequences, int64_t tokens);
  void prediction(const std::string& model, const std::string& label);
  using Labels = std::map<std::string, std::string>;
  /// A value as it is now, such as the length of a queue.
  void set(const std::string& name, const std::string& help, const Labels& labels, double value);
  /// Called before each text(), to set() what changes by itself.
  void before_text(std::function<void()> refresh);

  /// text/plain; version=0.0.4.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace suanli::monitor
