#include <cmath>

#include "base/error.h"
#include "monitor/metrics_alias.h"
#include "monitor/metrics_registry.h"

namespace suanli::monitor {

namespace {

/// 1e-5 * 1.5^k seconds, k = 1 .. 35.
const Buckets& te_seconds_buckets() {
  static const Buckets buckets = [] {
    Buckets out;
    for (int k = 1; k <= 35; ++k) out.push_back(1e-5 * std::pow(1.5, k));
    return out;
  }();
  return buckets;
}

/// What a route of that API does: the label `method`; null: a route of another API, which is not counted.
const char* te_method(const std::string& route) {
  constexpr std::pair<std::string_view, const char*> kMethods[] = {
      {"/embed", "embed"},       {"/embed_all", "embed_all"},   {"/v1/embeddings", "embed"},
      {"/embeddings", "embed"},  {"/similarity", "similarity"}, {"/predict", "predict"},
      {"/rerank", "rerank"},     {"/v1/rerank", "rerank"},      {"/", "any"},
      {"/tokenize", "tokenize"}, {"/decode", "decode"}};
  for (const auto& [name, method] : kMethods) {
    if (route == name) return method;
  }
  return nullptr;
}

/// Why a request failed: the label `err`.
const char* te_failure(int status) {
  switch (status) {
    case 429:
      return "overloaded";
    case 413:
    case 400:
    case 422:
      return "validation";
    case 503:
      return "unhealthy";
    default:
      return status < 500 && status != 424 ? "validation" : "inference";
  }
}

/// te_embed_* or te_predict_*.
struct TeTask {
  TeTask(prometheus::Registry& registry, const std::string& name)
      : count(counter(registry, "te_" + name + "_count", "Requests")),
        success(counter(registry, "te_" + name + "_success", "Requests answered well")),
        duration(histogram(registry, "te_" + name + "_duration", "Seconds of those")) {}
  CounterFamily &count, &success;
  HistogramFamily& duration;
};

class TeAlias final : public MetricsAlias {
 public:
  void request(const std::string& route, const std::string& model, int status, double seconds) override {
    const char* method = te_method(route);
    if (method == nullptr) return;
    const std::string name = method;
    TeTask* task = name.starts_with("embed") ? &embed_ : name == "predict" || name == "rerank" ? &predict_ : nullptr;
    count_.Add({{"method", name}, {"model", model}}).Increment();
    if (task != nullptr) task->count.Add({{"model", model}}).Increment();
    if (status >= 300) return failure_.Add({{"err", te_failure(status)}, {"model", model}}).Increment();
    success_.Add({{"method", name}, {"model", model}}).Increment();
    duration_.Add({{"model", model}}, te_seconds_buckets()).Observe(seconds);
    if (task == nullptr) return;
    task->success.Add({{"model", model}}).Increment();
    task->duration.Add({{"model", model}}, te_seconds_buckets()).Observe(seconds);
  }
  void part(Part part, const std::string& model, double seconds) override {
    if (part == Part::request) return;
    HistogramFamily& family = part == Part::queue ? queue_ : part == Part::tokenization ? tokenization_ : inference_;
    family.Add({{"model", model}}, te_seconds_buckets()).Observe(seconds);
  }
  void batch(const std::string& model, int64_t sequences, int64_t tokens) override {
    batch_size_.Add({{"model", model}}, count_buckets()).Observe(static_cast<double>(sequences));
    batch_tokens_.Add({{"model", model}}, count_buckets()).Observe(static_cast<double>(tokens));
  }
  void input(const std::string& model, int64_t tokens) override {
    length_.Add({{"model", model}}, count_buckets()).Observe(static_cast<double>(tokens));
  }
  void queued(const std::string& model, double requests) override { queue_size_.Add({{"model", model}}).Set(requests); }
  std::string text() const override { return text_of(registry_); }

 private:
  prometheus::Registry registry_;
  CounterFamily& count_ = counter(registry_, "te_request_count", "Requests");
  CounterFamily& success_ = counter(registry_, "te_request_success", "Requests answered well");
  CounterFamily& failure_ = counter(registry_, "te_request_failure", "Requests answered with an error");
  HistogramFamily& duration_ = histogram(registry_, "te_request_duration", "Seconds of those answered well");
  HistogramFamily& tokenization_ = histogram(registry_, "te_request_tokenization_duration", "Seconds to tokens");
  HistogramFamily& queue_ = histogram(registry_, "te_request_queue_duration", "Seconds of waiting for the model");
  HistogramFamily& inference_ = histogram(registry_, "te_request_inference_duration", "Seconds of computing");
  HistogramFamily& length_ = histogram(registry_, "te_request_input_length", "Tokens of an input");
  HistogramFamily& batch_size_ = histogram(registry_, "te_batch_next_size", "Sequences of a batch");
  HistogramFamily& batch_tokens_ = histogram(registry_, "te_batch_next_tokens", "Tokens of a batch");
  GaugeFamily& queue_size_ = gauge(registry_, "te_queue_size", "Requests that wait");
  TeTask embed_{registry_, "embed"}, predict_{registry_, "predict"};
};

}  // namespace

std::unique_ptr<MetricsAlias> te_alias() { return std::make_unique<TeAlias>(); }

std::unique_ptr<MetricsAlias> metrics_alias(const std::string& name) {
  if (name == "te") return te_alias();
  if (name == "nv") return nv_alias();
  throw UserError("metrics_alias", "expected te (text-embeddings-inference) or nv (Triton), got \"" + name + "\"");
}

}  // namespace suanli::monitor
