/// The same counts under the names that dashboards of another server ask for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace suanli::monitor {

/// Parts of the time of one request, in seconds.
enum class Part { request, queue, tokenization, inference };

/// Hears what ServiceMetrics counts. Every function may be called from any thread.
class MetricsAlias {
 public:
  virtual ~MetricsAlias() = default;
  virtual void request(const std::string& route, const std::string& model, int status, double seconds) = 0;
  virtual void part(Part part, const std::string& model, double seconds) = 0;
  virtual void batch(const std::string& model, int64_t sequences, int64_t tokens) = 0;
  virtual void input(const std::string& model, int64_t tokens) = 0;
  virtual void queued(const std::string& model, double requests) = 0;
  /// text/plain; version=0.0.4, to stand behind the canonical names.
  virtual std::string text() const = 0;
};

/// te_*, as text-embeddings-inference has them; docs/monitoring.md lists them beside ours.
std::unique_ptr<MetricsAlias> te_alias();
/// nv_*, as Triton has them.
std::unique_ptr<MetricsAlias> nv_alias();
/// By name, "te" or "nv". Throws UserError for another.
std::unique_ptr<MetricsAlias> metrics_alias(const std::string& name);

}  // namespace suanli::monitor
