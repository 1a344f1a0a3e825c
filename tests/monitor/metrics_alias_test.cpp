// What dashboards of other servers ask for has the numbers of the canonical names.
#include "monitor/metrics_alias.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "monitor/metrics_text.h"
#include "monitor/service_metrics.h"

namespace suanli::monitor {
namespace {

using Samples = std::vector<MetricSample>;

/// Some work of two models by three APIs.
Samples after_work(const std::string& alias) {
  ServiceMetrics metrics;
  metrics.also(metrics_alias(alias));
  for (int i = 1; i <= 20; ++i) {
    const double seconds = i * 3e-4;
    metrics.request("/embed", "a", 200, seconds);
    metrics.part(Part::tokenization, "a", seconds / 10);
    metrics.part(Part::queue, "a", seconds / 5);
    metrics.part(Part::inference, "a", seconds / 2);
    metrics.input("a", 5 + i);
    metrics.batch("a", 1 + i % 3, 5 + i);
  }
  metrics.request("/predict", "b", 200, 0.25);
  metrics.request("/predict", "b", 429, 0.001);
  metrics.request("/predict", "", 422, 0.001);
  metrics.request("/v2/models/{model}/infer", "b", 500, 0.5);
  metrics.request("/metrics", "", 200, 0.01);
  metrics.set("suanli_queue_size", "Requests that wait", {{"model", "a"}}, 7);
  return parse_metrics_text(metrics.text(), "metrics");
}

double sum(const Samples& samples, const std::string& name, const Labels& labels = {}) {
  double out = 0;
  bool found = false;
  for (const MetricSample& sample : samples) {
    const bool fits = std::ranges::all_of(
        labels, [&](const auto& label) { return label_value(sample.labels, label.first) == label.second; });
    if (sample.name != name || !fits) continue;
    out += sample.value;
    found = true;
  }
  EXPECT_TRUE(found) << name;
  return out;
}

TEST(TeAlias, HasTheNumbersOfTheCanonicalNames) {
  const Samples all = after_work("te");
  EXPECT_EQ(sum(all, "te_request_count"), 23) << "of its own routes";
  EXPECT_EQ(sum(all, "te_request_success", {{"method", "embed"}}),
            sum(all, "suanli_requests_total", {{"route", "/embed"}, {"code", "200"}}));
  EXPECT_EQ(sum(all, "te_request_failure", {{"err", "overloaded"}}), 1);
  EXPECT_EQ(sum(all, "te_request_failure", {{"err", "validation"}}), 1);
  EXPECT_EQ(sum(all, "te_embed_success"), 20);
  EXPECT_EQ(sum(all, "te_predict_count"), 3);
  EXPECT_EQ(sum(all, "te_predict_duration_count"), 1);
  EXPECT_EQ(sum(all, "te_queue_size"), 7);
  for (const auto& [te, canonical] : {std::pair{"te_request_queue_duration", "suanli_queue_duration_seconds"},
                                      {"te_request_tokenization_duration", "suanli_tokenization_duration_seconds"},
                                      {"te_request_inference_duration", "suanli_inference_duration_seconds"},
                                      {"te_request_input_length", "suanli_input_tokens"},
                                      {"te_batch_next_size", "suanli_batch_size"},
                                      {"te_batch_next_tokens", "suanli_batch_tokens"}}) {
    EXPECT_EQ(sum(all, std::string(te) + "_count"), sum(all, std::string(canonical) + "_count")) << te;
    EXPECT_EQ(sum(all, std::string(te) + "_sum"), sum(all, std::string(canonical) + "_sum")) << te;
  }
}

TEST(TeAlias, HasTheBucketsOfItsDashboards) {
  const Samples all = after_work("te");
  std::set<double> seconds, counts;
  for (const MetricSample& sample : all) {
    double bound = 0;
    if (!read_metric_value(label_value(sample.labels, "le"), &bound) || std::isinf(bound)) continue;
    if (sample.name == "te_request_duration_bucket") seconds.insert(bound);
    if (sample.name == "te_batch_next_tokens_bucket") counts.insert(bound);
  }
  ASSERT_EQ(seconds.size(), 35U);
  int k = 1;
  for (const double bound : seconds) EXPECT_NEAR(bound / (1e-5 * std::pow(1.5, k++)), 1, 1e-5);  // as text, 6 digits
  for (const double bound : counts) EXPECT_EQ(std::exp2(std::round(std::log2(bound))), bound);
}

TEST(NvAlias, HasTheNumbersOfTheCanonicalNames) {
  const Samples all = after_work("nv");
  EXPECT_EQ(sum(all, "nv_inference_request_success"), 21);
  EXPECT_EQ(sum(all, "nv_inference_request_failure", {{"model", "b"}, {"reason", "REJECTED"}}), 1);
  EXPECT_EQ(sum(all, "nv_inference_request_failure", {{"model", "b"}, {"reason", "BACKEND"}}), 1);
  EXPECT_EQ(sum(all, "nv_inference_count"), sum(all, "suanli_sequences_total"));
  EXPECT_EQ(sum(all, "nv_inference_exec_count"), sum(all, "suanli_batch_size_count"));
  EXPECT_EQ(sum(all, "nv_inference_pending_request_count", {{"model", "a"}}), 7);
  EXPECT_EQ(sum(all, "nv_inference_compute_output_duration_us"), 0);
  for (const auto& [nv, canonical] :
       {std::pair{"queue", "queue"}, {"compute_input", "tokenization"}, {"compute_infer", "inference"}}) {
    // Sums of 20 doubles in another unit.
    const double expected = sum(all, "suanli_" + std::string(canonical) + "_duration_seconds_sum") * 1e6;
    EXPECT_NEAR(sum(all, "nv_inference_" + std::string(nv) + "_duration_us"), expected, 1e-9 * expected) << nv;
  }
  EXPECT_NEAR(sum(all, "nv_inference_request_duration_us", {{"model", "b"}}), 0.25e6, 1e-3);
}

TEST(MetricsAlias, AnotherNameIsRefused) { EXPECT_THROW(metrics_alias("tf"), UserError); }

}  // namespace
}  // namespace suanli::monitor
