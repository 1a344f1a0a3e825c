#include "monitor/service_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <sstream>
#include <vector>

namespace suanli::monitor {

namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

/// From 100 us to 52 s, each twice the one before.
const Buckets& seconds_buckets() {
  static const Buckets buckets = [] {
    Buckets out;
    for (double bound = 1e-4; bound < 60; bound *= 2) out.push_back(bound);
    return out;
  }();
  return buckets;
}

/// 1, 2, 4, ... 2^15.
const Buckets& count_buckets() {
  static const Buckets buckets = [] {
    Buckets out;
    for (double bound = 1; bound <= 32768; bound *= 2) out.push_back(bound);
    return out;
  }();
  return buckets;
}

prometheus::Family<prometheus::Histogram>& histogram(prometheus::Registry& registry, const char* name,
                                                     const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

struct ServiceMetrics::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      counter(registry, "suanli_requests_total", "Requests answered, by route and status");
  prometheus::Family<prometheus::Counter>& tokens =
      counter(registry, "suanli_tokens_total", "Tokens computed, without padding");
  prometheus::Family<prometheus::Counter>& sequences =
      counter(registry, "suanli_sequences_total", "Sequences computed");
  prometheus::Family<prometheus::Counter>& predictions =
      counter(registry, "suanli_predictions_total", "Answers by their label");
  prometheus::Family<prometheus::Histogram>& request_seconds =
      histogram(registry, "suanli_request_duration_seconds", "From the head of a request to its answer");
  prometheus::Family<prometheus::Histogram>& queue_seconds =
      histogram(registry, "suanli_queue_duration_seconds", "Waiting for the model");
  prometheus::Family<prometheus::Histogram>& tokenization_seconds =
      histogram(registry, "suanli_tokenization_duration_seconds", "From texts to tokens");
  prometheus::Family<prometheus::Histogram>& inference_seconds =
      histogram(registry, "suanli_inference_duration_seconds", "Computing, from the first batch to the last");
  prometheus::Family<prometheus::Histogram>& batch_sequences =
      histogram(registry, "suanli_batch_size", "Sequences of a batch");
  prometheus::Family<prometheus::Histogram>& batch_tokens =
      histogram(registry, "suanli_batch_tokens", "Tokens of a batch");
  std::mutex mutex;
  std::vector<std::function<void()>> refreshes;

  prometheus::Family<prometheus::Histogram>& seconds_of(Part part) {
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

ServiceMetrics::ServiceMetrics() : state_(std::make_unique<State>()) {
  set("suanli_build_info", "1, with the version as a label", {{"version", SUANLI_VERSION}}, 1);
}
ServiceMetrics::~ServiceMetrics() = default;

void ServiceMetrics::request(const std::string& route, const std::string& model, int status, double seconds) {
  state_->requests.Add({{"model", model}, {"route", route}, {"code", std::to_string(status)}}).Increment();
  state_->request_seconds.Add({{"model", model}, {"route", route}}, seconds_buckets()).Observe(seconds);
}

void ServiceMetrics::part(Part part, const std::string& model, double seconds) {
  state_->seconds_of(part).Add({{"model", model}}, seconds_buckets()).Observe(seconds);
}

void ServiceMetrics::batch(const std::string& model, int64_t sequences, int64_t tokens) {
  const auto size = static_cast<double>(sequences), length = static_cast<double>(tokens);
  state_->batch_sequences.Add({{"model", model}}, count_buckets()).Observe(size);
  state_->batch_tokens.Add({{"model", model}}, count_buckets()).Observe(length);
  state_->sequences.Add({{"model", model}}).Increment(size);
  state_->tokens.Add({{"model", model}}).Increment(length);
}

void ServiceMetrics::prediction(const std::string& model, const std::string& label) {
  state_->predictions.Add({{"model", model}, {"label", label}}).Increment();
}

void ServiceMetrics::set(const std::string& name, const std::string& help, const Labels& labels, double value) {
  prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(labels).Set(value);
}

void ServiceMetrics::before_text(std::function<void()> refresh) {
  const std::lock_guard lock(state_->mutex);
  state_->refreshes.push_back(std::move(refresh));
}

std::string ServiceMetrics::text() const {
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& refresh : state_->refreshes) refresh();
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
  return out.str();
}

}  // namespace suanli::monitor
