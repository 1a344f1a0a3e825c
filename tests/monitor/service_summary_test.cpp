// Two readings of /metrics say what went on between them.
#include "monitor/service_summary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "monitor/service_metrics.h"

namespace suanli::monitor {
namespace {

TEST(ServiceSummary, RatesAndQuantilesAreThoseOfTheTimeBetween) {
  ServiceMetrics metrics;
  const auto read = [&] { return parse_metrics_text(metrics.text(), "metrics"); };
  const ServiceMetrics::Labels model = {{"model", "m"}};
  metrics.set("suanli_model_info", "", {{"model", "m"}, {"kind", "embedding"}, {"version", "3"}}, 1);
  for (int i = 0; i < 1000; ++i) metrics.request("/embed", "m", 200, 5);  // long ago, and slow
  const auto before = read();
  for (int i = 0; i < 90; ++i) metrics.request("/embed", "m", 200, 0.003);
  for (int i = 0; i < 10; ++i) metrics.request("/embed", "m", 429, 0.003);
  for (int i = 0; i < 500; ++i) metrics.request("/metrics", "", 200, 9);
  metrics.batch("m", 4, 40);
  metrics.batch("m", 6, 60);
  metrics.set("suanli_queue_size", "", model, 2);
  metrics.set("suanli_energy_joules_total", "", {{"source", "modelled"}}, 50);
  metrics.set("suanli_cost_total", "", {{"currency", "EUR"}}, 0.5);
  metrics.set("suanli_alert_firing", "", {{"alertname", "errors"}, {"severity", "page"}, {"route", "/embed"}}, 1);
  metrics.set("suanli_drift_detected", "", {{"model", "m"}, {"feature", "length"}, {"test", "psi"}}, 1);
  metrics.set("suanli_drift_detected", "", {{"model", "m"}, {"feature", "length"}, {"test", "ks"}}, 0);
  metrics.set("suanli_drift_score", "", {{"model", "m"}, {"feature", "length"}, {"test", "psi"}}, 0.31);
  metrics.set("suanli_feedback_labelled", "", model, 200);
  for (const auto& [bound, value] : {std::pair{"low", 0.8}, {"estimate", 0.9}, {"high", 0.95}}) {
    metrics.set("suanli_live_accuracy", "", {{"model", "m"}, {"bound", bound}}, value);
  }
  const ServiceSummary summary = summarize(before, read(), 10);
  EXPECT_DOUBLE_EQ(summary.requests_per_second, 10) << "who looks at the server does not count";
  EXPECT_DOUBLE_EQ(summary.codes.at("200"), 9);
  EXPECT_DOUBLE_EQ(summary.codes.at("429"), 1);
  // All in the bucket from 1.6 to 3.2 ms: linear within it.
  EXPECT_NEAR(summary.p50, 0.0024, 1e-9);
  EXPECT_NEAR(summary.p99, 0.0016 + 0.0016 * 0.99, 1e-9);
  EXPECT_DOUBLE_EQ(summary.tokens_per_second, 10);
  EXPECT_EQ(summary.queued, 2);
  EXPECT_DOUBLE_EQ(summary.watts, 5);
  EXPECT_EQ(summary.energy_source, "modelled");
  EXPECT_EQ(summary.currency, "EUR");
  EXPECT_TRUE(std::isnan(summary.co2_kg));
  EXPECT_EQ(summary.alerts, std::vector<std::string>{"errors {route=\"/embed\"}"});
  ASSERT_EQ(summary.models.size(), 1U);
  const ModelSummary& one = summary.models.front();
  EXPECT_EQ(one.kind, "embedding");
  EXPECT_EQ(one.version, "3");
  EXPECT_DOUBLE_EQ(one.batch_size, 5);
  EXPECT_EQ(one.drift_tests, 2U);
  EXPECT_EQ(one.drifted, std::vector<std::string>{"length psi 0.31"});
  EXPECT_DOUBLE_EQ(one.accuracy, 0.9);
  EXPECT_EQ(one.labelled, 200);
}

TEST(ServiceSummary, AServerThatBeganAgainCountsFromNought) {
  const auto reading = [](const char* count) {
    return parse_metrics_text(std::string("suanli_requests_total{code=\"200\",route=\"/embed\"} ") + count + "\n", "m");
  };
  EXPECT_DOUBLE_EQ(summarize(reading("1000"), reading("30"), 10).requests_per_second, 3);
  const ServiceSummary idle = summarize(reading("7"), reading("7"), 10);
  EXPECT_EQ(idle.requests_per_second, 0);
  EXPECT_TRUE(idle.codes.empty());
  EXPECT_TRUE(std::isnan(idle.p99));
  EXPECT_TRUE(std::isnan(idle.joules));
  EXPECT_TRUE(idle.models.empty());
}

TEST(ServiceSummary, RoutesThatLookAreNoWork) {
  for (const char* route : {"", "/metrics", "/ui", "/ui/{file}", "/health", "/v2", "/v2/health/ready", "/v2/alerts",
                            "/v2/models/{model}/drift", "/v2/models/{model}/ready", "/api-doc/openapi.json"}) {
    EXPECT_TRUE(is_watching(route)) << route;
  }
  for (const char* route : {"/", "/embed", "/v2/models/{model}/infer", "/v1/completions", "/v2/models/{model}"}) {
    EXPECT_FALSE(is_watching(route)) << route;
  }
}

}  // namespace
}  // namespace suanli::monitor
