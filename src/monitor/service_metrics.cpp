#include "monitor/service_metrics.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "monitor/metrics_registry.h"

namespace suanli::monitor {

namespace {

/// From 100 us to 52 s, each twice the one before.
const Buckets& seconds_buckets() {
  static const Buckets buckets = [] {
    Buckets out;
    for (double bound = 1e-4; bound < 60; bound *= 2) out.push_back(bound);
    return out;
  }();
  return buckets;
}

constexpr const char* kQueueSize = "suanli_queue_size";

}  // namespace

struct ServiceMetrics::State {
  prometheus::Registry registry;
  CounterFamily& requests = counter(registry, "suanli_requests_total", "Requests answered, by route and status");
  CounterFamily& tokens = counter(registry, "suanli_tokens_total", "Tokens computed, without padding");
  CounterFamily& sequences = counter(registry, "suanli_sequences_total", "Sequences computed");
  CounterFamily& predictions = counter(registry, "suanli_predictions_total", "Answers by their label");
  HistogramFamily& request_seconds =
      histogram(registry, "suanli_request_duration_seconds", "From the head of a request to its answer");
  HistogramFamily& queue_seconds = histogram(registry, "suanli_queue_duration_seconds", "Waiting for the model");
  HistogramFamily& tokenization_seconds =
      histogram(registry, "suanli_tokenization_duration_seconds", "From texts to tokens");
  HistogramFamily& inference_seconds =
      histogram(registry, "suanli_inference_duration_seconds", "Computing, from the first batch to the last");
  HistogramFamily& batch_sequences = histogram(registry, "suanli_batch_size", "Sequences of a batch");
  HistogramFamily& batch_tokens = histogram(registry, "suanli_batch_tokens", "Tokens of a batch");
  HistogramFamily& input_tokens = histogram(registry, "suanli_input_tokens", "Tokens of an input");
  std::vector<std::unique_ptr<MetricsAlias>> aliases = {};

  /// A gauge that a refresh set, and in which round it did so last.
  struct Refreshed {
    GaugeFamily* family;
    prometheus::Gauge* gauge;
    uint64_t round;
  };
  std::mutex mutex = {};  ///< of what follows
  std::vector<std::function<void()>> refreshes = {};
  std::map<std::pair<std::string, Labels>, Refreshed> refreshed = {};
  uint64_t round = 0;
  std::atomic<std::thread::id> refresher = {};  ///< the thread that is in refresh()

  void refresh();
  void queued(const Labels& labels, double waiting) {
    const auto model = labels.find("model");
    for (const auto& alias : aliases) alias->queued(model == labels.end() ? "" : model->second, waiting);
  }

  HistogramFamily& seconds_of(Part part) {
    switch (part) {
      case Part::queue:
        return queue_seconds;
      case Part::tokenization:
        return tokenization_seconds;
      case Part::inference:
        return inference_seconds;
      default:
        return request_seconds;
    }
  }
};

/// Runs all refreshes; gauges that they set before and not now go.
void ServiceMetrics::State::refresh() {
  const std::lock_guard lock(mutex);
  ++round;
  refresher = std::this_thread::get_id();
  const std::shared_ptr<void> ends(nullptr, [this](void*) { refresher = std::thread::id(); });
  for (const auto& one : refreshes) one();
  for (auto at = refreshed.begin(); at != refreshed.end();) {
    const auto& [name, labels] = at->first;
    if (at->second.round == round) {
      ++at;
      continue;
    }
    if (name == kQueueSize) queued(labels, 0);
    at->second.family->Remove(at->second.gauge);
    at = refreshed.erase(at);
  }
}

ServiceMetrics::ServiceMetrics() : state_(std::make_unique<State>()) {
  set("suanli_build_info", "1, with the version as a label", {{"version", SUANLI_VERSION}}, 1);
}
ServiceMetrics::~ServiceMetrics() = default;

void ServiceMetrics::request(const std::string& route, const std::string& model, int status, double seconds) {
  state_->requests.Add({{"model", model}, {"route", route}, {"code", std::to_string(status)}}).Increment();
  state_->request_seconds.Add({{"model", model}, {"route", route}}, seconds_buckets()).Observe(seconds);
  for (const auto& alias : state_->aliases) alias->request(route, model, status, seconds);
}

void ServiceMetrics::part(Part part, const std::string& model, double seconds) {
  state_->seconds_of(part).Add({{"model", model}}, seconds_buckets()).Observe(seconds);
  for (const auto& alias : state_->aliases) alias->part(part, model, seconds);
}

void ServiceMetrics::batch(const std::string& model, int64_t sequences, int64_t tokens) {
  const auto size = static_cast<double>(sequences), length = static_cast<double>(tokens);
  state_->batch_sequences.Add({{"model", model}}, count_buckets()).Observe(size);
  state_->batch_tokens.Add({{"model", model}}, count_buckets()).Observe(length);
  state_->sequences.Add({{"model", model}}).Increment(size);
  state_->tokens.Add({{"model", model}}).Increment(length);
  for (const auto& alias : state_->aliases) alias->batch(model, sequences, tokens);
}

void ServiceMetrics::input(const std::string& model, int64_t tokens) {
  state_->input_tokens.Add({{"model", model}}, count_buckets()).Observe(static_cast<double>(tokens));
  for (const auto& alias : state_->aliases) alias->input(model, tokens);
}

void ServiceMetrics::prediction(const std::string& model, const std::string& label) {
  state_->predictions.Add({{"model", model}, {"label", label}}).Increment();
}

void ServiceMetrics::set(const std::string& name, const std::string& help, const Labels& labels, double value) {
  GaugeFamily& family = gauge(state_->registry, name, help);
  prometheus::Gauge& one = family.Add(labels);
  one.Set(value);
  if (name == kQueueSize) state_->queued(labels, value);
  if (state_->refresher.load() == std::this_thread::get_id()) {
    state_->refreshed[{name, labels}] = {&family, &one, state_->round};
  }
}

void ServiceMetrics::before_text(std::function<void()> refresh) {
  const std::lock_guard lock(state_->mutex);
  state_->refreshes.push_back(std::move(refresh));
}

void ServiceMetrics::also(std::unique_ptr<MetricsAlias> alias) { state_->aliases.push_back(std::move(alias)); }

std::string ServiceMetrics::text() const {
  state_->refresh();
  std::string text = text_of(state_->registry);
  for (const auto& alias : state_->aliases) text += alias->text();
  return text;
}

}  // namespace suanli::monitor
