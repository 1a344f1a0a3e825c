/// What a service counts: requests, queues, batches, tokens, answers; written in Prometheus' text format.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "monitor/metrics_alias.h"

namespace suanli::monitor {

/// Names, units and labels as docs/monitoring.md lists them. Every function may be called from any thread.
class ServiceMetrics {
 public:
  ServiceMetrics();
  ~ServiceMetrics();

  /// A request has been answered. `route` is a route's pattern, never the path that came.
  void request(const std::string& route, const std::string& model, int status, double seconds);
  void part(Part part, const std::string& model, double seconds);
  void batch(const std::string& model, int64_t sequences, int64_t tokens);
  /// One text of a request has become so many tokens.
  void input(const std::string& model, int64_t tokens);
  void prediction(const std::string& model, const std::string& label);
  using Labels = std::map<std::string, std::string>;
  /// A value as it is now, such as the length of a queue.
  void set(const std::string& name, const std::string& help, const Labels& labels, double value);
  /// Called before each text(), to set() what changes by itself. What a later call does not set again is gone from the
  /// text: the queue of a model that was unloaded.
  void before_text(std::function<void()> refresh);
  /// Counts under other names, too. Before the first request.
  void also(std::unique_ptr<MetricsAlias> alias);

  /// text/plain; version=0.0.4.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace suanli::monitor
