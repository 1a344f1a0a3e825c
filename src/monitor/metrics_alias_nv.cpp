#include "monitor/metrics_alias.h"
#include "monitor/metrics_registry.h"

namespace suanli::monitor {

namespace {

/// Why a request failed: the label `reason`.
const char* nv_reason(int status) {
  if (status == 429) return "REJECTED";
  return status >= 500 || status == 424 ? "BACKEND" : "OTHER";
}

class NvAlias final : public MetricsAlias {
 public:
  /// Requests that found a model, by any API.
  void request(const std::string&, const std::string& model, int status, double seconds) override {
    if (model.empty()) return;
    if (status >= 300) return failure_.Add({{"model", model}, {"reason", nv_reason(status)}}).Increment();
    success_.Add({{"model", model}}).Increment();
    add_microseconds(request_, model, seconds);
  }
  void part(Part part, const std::string& model, double seconds) override {
    if (part == Part::request) return;
    CounterFamily& family = part == Part::queue ? queue_ : part == Part::tokenization ? input_ : infer_;
    add_microseconds(family, model, seconds);
  }
  void batch(const std::string& model, int64_t sequences, int64_t) override {
    count_.Add({{"model", model}}).Increment(static_cast<double>(sequences));
    executions_.Add({{"model", model}}).Increment();
    output_.Add({{"model", model}});  // writing an answer is not timed: 0
  }
  void input(const std::string&, int64_t) override {}
  void queued(const std::string& model, double requests) override { pending_.Add({{"model", model}}).Set(requests); }
  std::string text() const override { return text_of(registry_); }

 private:
  static void add_microseconds(CounterFamily& family, const std::string& model, double seconds) {
    family.Add({{"model", model}}).Increment(seconds * 1e6);
  }

  prometheus::Registry registry_;
  CounterFamily& success_ = counter(registry_, "nv_inference_request_success", "Requests answered well");
  CounterFamily& failure_ = counter(registry_, "nv_inference_request_failure", "Requests answered with an error");
  CounterFamily& count_ = counter(registry_, "nv_inference_count", "Sequences computed");
  CounterFamily& executions_ = counter(registry_, "nv_inference_exec_count", "Batches computed");
  GaugeFamily& pending_ = gauge(registry_, "nv_inference_pending_request_count", "Requests that wait");
  CounterFamily& request_ = counter(registry_, "nv_inference_request_duration_us", "Microseconds of those, in all");
  CounterFamily& queue_ = counter(registry_, "nv_inference_queue_duration_us", "Of waiting for the model");
  CounterFamily& input_ = counter(registry_, "nv_inference_compute_input_duration_us", "From texts to tokens");
  CounterFamily& infer_ = counter(registry_, "nv_inference_compute_infer_duration_us", "Of computing");
  CounterFamily& output_ = counter(registry_, "nv_inference_compute_output_duration_us", "Not timed");
};

}  // namespace

std::unique_ptr<MetricsAlias> nv_alias() { return std::make_unique<NvAlias>(); }

}  // namespace suanli::monitor
