// Values that change by themselves are as they are when somebody asks, and go with what they describe.
#include "monitor/service_metrics.h"

#include <gtest/gtest.h>

#include "monitor/alert_history.h"

namespace suanli::monitor {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ServiceMetrics, AGaugeThatNoRefreshSetsAnyMoreIsGone) {
  ServiceMetrics metrics;
  metrics.also(nv_alias());
  bool loaded = true;
  metrics.before_text([&] {
    metrics.set("suanli_queue_size", "waiting", {{"model", "stays"}}, 1);
    if (loaded) metrics.set("suanli_queue_size", "waiting", {{"model", "goes"}}, 2);
  });
  metrics.set("warmth", "set once, by nobody's refresh", {}, 20);
  EXPECT_TRUE(has(metrics.text(), "suanli_queue_size{model=\"goes\"} 2"));
  EXPECT_TRUE(has(metrics.text(), "suanli_queue_size{model=\"goes\"} 2")) << "as often as one asks";
  loaded = false;
  const std::string later = metrics.text();
  EXPECT_FALSE(has(later, "suanli_queue_size{model=\"goes\"}"));
  EXPECT_TRUE(has(later, "suanli_queue_size{model=\"stays\"} 1"));
  EXPECT_TRUE(has(later, "nv_inference_pending_request_count{model=\"goes\"} 0"));
  EXPECT_TRUE(has(later, "warmth 20"));
  loaded = true;
  EXPECT_TRUE(has(metrics.text(), "suanli_queue_size{model=\"goes\"} 2")) << "a model that comes back";
}

TEST(AlertHistory, SaysWhatFiresAndWhatWas) {
  AlertHistory history;
  history.watch({"warm"});
  AlertEvent event;
  event.rule = "warm";
  event.severity = "page";
  event.labels = {{"room", "1"}};
  history.take({event});
  event.repeated = true;
  event.time = 99;
  history.take({event});
  EXPECT_EQ(history.json()["firing"].size(), 1U);
  EXPECT_EQ(history.json()["firing"][0]["time"], 99) << "the last that was said of it";
  EXPECT_EQ(history.json()["recent"].size(), 1U) << "an alert that is told again is no news";
  ServiceMetrics metrics;
  metrics.before_text([&] { history.set_metrics(metrics); });
  const std::string firing = "suanli_alert_firing{alertname=\"warm\",room=\"1\",severity=\"page\"} 1";
  EXPECT_TRUE(has(metrics.text(), firing)) << metrics.text();
  event.firing = event.repeated = false;
  history.take({event});
  EXPECT_EQ(history.json()["firing"].size(), 0U);
  EXPECT_EQ(history.json()["recent"][0]["status"], "resolved");
  EXPECT_FALSE(has(metrics.text(), firing));
  for (int i = 0; i < 200; ++i) history.take({event});
  EXPECT_EQ(history.json()["recent"].size(), 50U) << "bounded";
}

}  // namespace
}  // namespace suanli::monitor
