// Alerts fire once, after their time, and are resolved: the course of each kind of rule over samples made by hand.
#include "monitor/alerts.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "expect_error.h"
#include "monitor/counter_history.h"

namespace suanli::monitor {
namespace {

/// An engine with one rule on the metric m (or `metric`).
AlertEngine engine_of(const std::string& keys, const std::string& metric = "m") {
  return AlertEngine(parse_alert_rules("rules: [{name: n, metric: " + metric + ", " + keys + "}]", "r"));
}

std::vector<AlertEvent> at(AlertEngine& engine, double time, const std::string& text) {
  return engine.observe(time, parse_metrics_text(text, "text"));
}

std::string m(double value) { return concat("m ", value, "\n"); }

TEST(Alerts, FireAfterTheirTimeOnceAndAreResolved) {
  AlertEngine engine = engine_of("above: 0.5, for: 60s");
  EXPECT_TRUE(at(engine, 0, m(0.7)).empty()) << "it has not held for a minute";
  EXPECT_TRUE(at(engine, 30, m(0.4)).empty());
  EXPECT_TRUE(at(engine, 60, m(0.7)).empty()) << "the time begins again";
  EXPECT_TRUE(at(engine, 119, m(0.7)).empty());
  const auto fired = at(engine, 120, m(0.8));
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_TRUE(fired[0].firing);
  EXPECT_FALSE(fired[0].repeated);
  EXPECT_EQ(fired[0].since, 60);
  EXPECT_EQ(fired[0].value, 0.8);
  EXPECT_EQ(fired[0].message, "n: m is 0.8, above 0.5");
  EXPECT_EQ(engine.firing(), 1u);
  EXPECT_TRUE(at(engine, 150, m(0.9)).empty()) << "told already";
  const auto resolved = at(engine, 180, m(0.5));
  ASSERT_EQ(resolved.size(), 1u) << "0.5 is not above 0.5";
  EXPECT_FALSE(resolved[0].firing);
  EXPECT_EQ(resolved[0].since, 60);
  EXPECT_EQ(resolved[0].message, "n: m is 0.5, not above 0.5");
  EXPECT_TRUE(at(engine, 200, m(0.1)).empty());
  EXPECT_EQ(engine.firing(), 0u);
}

TEST(Alerts, RepeatAndKeepFiring) {
  AlertEngine engine = engine_of("below: 1, repeat: 100, keep_firing_for: 20");
  ASSERT_EQ(at(engine, 0, m(0)).size(), 1u) << "without `for` at once";
  EXPECT_TRUE(at(engine, 99, m(0)).empty());
  const auto again = at(engine, 100, m(0));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].repeated);
  EXPECT_TRUE(at(engine, 110, m(2)).empty()) << "it may come back";
  EXPECT_TRUE(at(engine, 125, m(0)).empty()) << "it has come back";
  EXPECT_TRUE(at(engine, 130, m(2)).empty());
  EXPECT_TRUE(at(engine, 149, m(2)).empty());
  ASSERT_EQ(at(engine, 150, m(2)).size(), 1u);
  AlertEngine never = engine_of("below: 1, repeat: never");
  EXPECT_EQ(at(never, 0, m(0)).size(), 1u);
  EXPECT_TRUE(at(never, 1e6, m(0)).empty());
}

TEST(Alerts, EachSeriesIsItsOwnUnlessSummed) {
  const std::string text =
      "m{route=\"a\",code=\"500\"} 3\nm{route=\"b\",code=\"500\"} 1\nm{route=\"b\",code=\"502\"} 2\n";
  AlertEngine each = engine_of("above: 2.5");
  auto events = at(each, 0, text);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].labels, (Labels{{"code", "500"}, {"route", "a"}}));
  EXPECT_EQ(events[0].message, "n: m{code=\"500\",route=\"a\"} is 3, above 2.5");
  AlertEngine by_route = engine_of("above: 2.5, by: [route]");
  EXPECT_EQ(at(by_route, 0, text).size(), 2u);
  AlertEngine all = engine_of("above: 2.5, by: [], labels: {code: \"5.0\"}");
  events = at(all, 0, text);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].value, 4);
  EXPECT_TRUE(events[0].labels.empty());
}

TEST(Alerts, RatesHandleResetsAndNewSeries) {
  AlertEngine engine = engine_of("rate: 60, above: 0.999");
  EXPECT_TRUE(at(engine, 0, m(1000)).empty()) << "one value has no rate";
  EXPECT_TRUE(at(engine, 30, m(1000)).empty());
  auto events = at(engine, 60, m(30));  // a reset: 30 more
  EXPECT_TRUE(events.empty()) << "30 in 60 s";
  events = at(engine, 90, m(60));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].value, 1) << "60 in the 60 s since 30";
  EXPECT_EQ(events[0].message, "n: rate of m per second over 60 s is 1, above 0.999");

  AlertEngine first_error = engine_of("rate: 60, above: 0");
  EXPECT_TRUE(at(first_error, 0, "m{code=\"200\"} 7\n").empty());
  events = at(first_error, 10, "m{code=\"200\"} 7\nm{code=\"500\"} 1\n");
  ASSERT_EQ(events.size(), 1u) << "a counter that appears began at 0";
  EXPECT_EQ(events[0].value, 0.1);
}

TEST(Alerts, QuantilesAreThoseOfPromQL) {
  EXPECT_EQ(histogram_quantile(0.5, {{1, 2}, {2, 4}, {HUGE_VAL, 4}}), 1);
  EXPECT_EQ(histogram_quantile(0.75, {{1, 2}, {2, 4}, {HUGE_VAL, 4}}), 1.5);
  EXPECT_EQ(histogram_quantile(0.25, {{1, 2}, {2, 4}, {HUGE_VAL, 4}}), 0.5) << "the first bucket begins at 0";
  EXPECT_EQ(histogram_quantile(0.99, {{1, 2}, {2, 4}, {HUGE_VAL, 8}}), 2) << "the last bucket has no width";
  EXPECT_EQ(histogram_quantile(0.5, {{-1, 2}, {2, 2}, {HUGE_VAL, 2}}), -1);
  EXPECT_EQ(histogram_quantile(0.9, {{1, 10}, {2, 9}, {HUGE_VAL, 10}}), 0.9) << "counts that fall are lifted";
  EXPECT_TRUE(std::isnan(histogram_quantile(0.5, {{1, 2}, {2, 4}})));
  EXPECT_TRUE(std::isnan(histogram_quantile(0.5, {{HUGE_VAL, 4}})));
  EXPECT_TRUE(std::isnan(histogram_quantile(0.5, {{1, 0}, {HUGE_VAL, 0}})));
}

TEST(Alerts, AQuantileIsOfTheWindow) {
  const auto text = [](int fast, int all) {
    const auto bucket = [](const char* le, int count) {
      return "h_bucket{route=\"/embed\",le=\"" + std::string(le) + "\"} " + std::to_string(count) + "\n";
    };
    return bucket("0.1", fast) + bucket("1", all) + bucket("+Inf", all) + "h_sum{route=\"/embed\"} 1\n";
  };
  AlertEngine engine = engine_of("quantile: 0.5, rate: 60, above: 0.5", "h");
  EXPECT_TRUE(at(engine, 0, text(1'000'000, 1'000'000)).empty());
  const auto events = at(engine, 60, text(1'000'000, 1'000'010));
  ASSERT_EQ(events.size(), 1u) << "all ten of the last minute were slow";
  EXPECT_DOUBLE_EQ(events[0].value, 0.55);
  EXPECT_EQ(events[0].labels, (Labels{{"route", "/embed"}})) << "without le";
  EXPECT_EQ(at(engine, 120, text(1'000'000, 1'000'010)).size(), 1u) << "no request, no quantile: resolved";
}

TEST(Alerts, ASurgeOfACounterFiresAndEnds) {
  AlertEngine engine =
      engine_of("labels: {label: negative}, surge: {method: poisson, window: 60s}", "suanli_predictions_total");
  double negative = 0;
  std::vector<AlertEvent> events;
  const auto step = [&](double time, double more) {
    negative += more;
    const auto now = at(engine, time,
                        "suanli_predictions_total{label=\"negative\"} " + std::to_string(negative) +
                            "\nsuanli_predictions_total{label=\"positive\"} " + std::to_string(time * 50) + "\n");
    events.insert(events.end(), now.begin(), now.end());
  };
  for (int i = 0; i < 80; ++i) step(i * 15, i % 2);  // two a minute
  EXPECT_TRUE(events.empty());
  for (int i = 80; i < 84; ++i) step(i * 15, 5);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].firing);
  EXPECT_NE(events[0].message.find(" in 60 s, expected 2"), std::string::npos) << events[0].message;
  for (int i = 84; i < 92; ++i) step(i * 15, i % 2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_FALSE(events[1].firing);
}

TEST(Alerts, UnevenReadingsOfASteadyCounterAreNoSurge) {
  // 100 a second, read at 58 to 62 s of each window: a window is given its share, not what was read in it.
  AlertEngine engine = engine_of("surge: {method: poisson, window: 60s, alpha: 0.01}");
  int fired = 0;
  for (int i = 0; i < 300; ++i) {
    const double time = i * 20 + (i % 3) * 2.0 - (i % 7) * 0.9;
    fired += static_cast<int>(at(engine, time + 10, m(100 * (time + 10))).size());
  }
  EXPECT_EQ(fired, 0);
}

TEST(Alerts, ACusumOfAGaugeTakesItsValues) {
  AlertEngine engine = engine_of("surge: {method: cusum, k: 0.5, h: 5, mean: 10, deviation: 2}");
  EXPECT_TRUE(at(engine, 0, m(12)).empty());
  const auto events = at(engine, 1, m(22));
  ASSERT_EQ(events.size(), 1u) << "0.5 and 5.5 deviations";
  EXPECT_EQ(events[0].message, "n: m surges: 22, expected 10");
}

TEST(Alerts, WhatIsMissingIsNotJudgedAndAtLastResolved) {
  AlertEngine engine = engine_of("above: 1");
  ASSERT_EQ(at(engine, 0, m(2)).size(), 1u);
  EXPECT_TRUE(at(engine, 299, "other 1\n").empty());
  const auto events = at(engine, 300, "other 1\n");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].message, "n: m has had no samples for 300 s");
  EXPECT_EQ(at(engine, 301, m(2)).size(), 1u) << "a new alert";
  EXPECT_EQ(at(engine, 302, "m NaN\n").size(), 1u) << "NaN is not above anything";
}

TEST(Alerts, GoOnFromTheirState) {
  const std::string keys = "above: 1, for: 60, repeat: 1000";
  AlertEngine first = engine_of(keys);
  at(first, 0, m(2));
  AlertEngine second = engine_of(keys);
  second.restore(Json::parse(first.state().dump()));
  const auto fired = at(second, 60, m(2));
  ASSERT_EQ(fired.size(), 1u) << "the minute began before the restart";
  EXPECT_EQ(fired[0].since, 0);
  AlertEngine third = engine_of(keys);
  third.restore(second.state());
  EXPECT_EQ(third.state(), second.state());
  EXPECT_EQ(third.firing(), 1u);
  EXPECT_TRUE(at(third, 120, m(2)).empty()) << "not told again";
  error_of([&] { third.restore(Json::array()); });
  error_of([&] { third.restore({{"version", 1}, {"rules", {{"n", {{{"labels", 3}}}}}}}); });
}

TEST(Alerts, ManySeriesAreBounded) {
  AlertEngine engine = engine_of("rate: 60, above: 1e9");
  for (int round = 0; round < 3; ++round) {
    std::string text;
    for (int i = 0; i < 9000; ++i) text += concat("m{i=\"", round * 9000 + i, "\"} 1\n");
    at(engine, round, text);
  }
  EXPECT_EQ(engine.ignored(), 27000 - 20000);
}

TEST(Alerts, APatternThatTakesTooLongIsTold) {
  AlertEngine engine = engine_of("labels: {a: \"(x+x+)+[yz]\"}, above: 1");
  error_of([&] { at(engine, 0, "m{a=\"" + std::string(60, 'x') + "\"} 1\n"); });
}

TEST(AlertEvents, AnnotationsAndWebhooksAreAlertmanagers) {
  AlertEngine engine = engine_of(
      "above: 1, severity: page, deliver: [webhook], annotations: {description: \"{{ $value }} at {{ $labels.route "
      "}}\"}");
  const auto events = at(engine, 1675688925.828, "m{route=\"/a\"} 2\nm{route=\"/b\"} 3\n");
  ASSERT_EQ(events.size(), 2u);
  const Json body = webhook_body(events, "ops");
  EXPECT_EQ(body["version"], "4");
  EXPECT_EQ(body["receiver"], "ops");
  EXPECT_EQ(body["status"], "firing");
  EXPECT_EQ(body["truncatedAlerts"], 0);
  EXPECT_EQ(body["groupLabels"], Json({{"alertname", "n"}}));
  EXPECT_EQ(body["groupKey"], "{}:{alertname=\"n\"}");
  EXPECT_EQ(body["commonLabels"], Json({{"alertname", "n"}, {"severity", "page"}}));
  EXPECT_TRUE(body["commonAnnotations"].empty());
  const Json& alert = body["alerts"][1];
  EXPECT_EQ(alert["labels"], Json({{"alertname", "n"}, {"severity", "page"}, {"route", "/b"}}));
  EXPECT_EQ(alert["annotations"]["description"], "3 at /b");
  EXPECT_EQ(alert["annotations"]["summary"], events[1].message);
  EXPECT_EQ(alert["startsAt"], "2023-02-06T13:08:45.828Z");
  EXPECT_EQ(alert["endsAt"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(alert["fingerprint"].get<std::string>().size(), 16u);

  const auto resolved = at(engine, 1675688985, "m{route=\"/a\"} 0\nm{route=\"/b\"} 3\n");
  ASSERT_EQ(resolved.size(), 1u);
  const Json end = webhook_body(resolved, "ops");
  EXPECT_EQ(end["status"], "resolved");
  EXPECT_EQ(end["alerts"][0]["endsAt"], "2023-02-06T13:09:45.000Z");
  EXPECT_EQ(end["alerts"][0]["fingerprint"], body["alerts"][0]["fingerprint"]) << "the same alert";
}

TEST(AlertEvents, FingerprintsAreThoseOfPrometheus) {
  // Of prometheus/common, model/metric_test.go.
  EXPECT_EQ(fingerprint({}), 14695981039346656037u);
  EXPECT_EQ(fingerprint({{"first_name", "electro"}, {"manufacturer", "westinghouse"}, {"occupation", "robot"}}),
            5911716720268894962u);
  EXPECT_EQ(fingerprint({{"x", "y"}}), 8241431561484471700u);
  EXPECT_EQ(fingerprint({{"a", "bb"}, {"b", "c"}}), 3016285359649981711u);
  EXPECT_EQ(fingerprint({{"a", "b"}, {"bb", "c"}}), 7122421792099404749u);
}

TEST(AlertEvents, GoToTheDeliveriesThatTheirRulesName) {
  std::vector<AlertEvent> events(2);
  events[0].deliver = {"log"};
  events[1].deliver = {"log", "webhook"};
  std::map<std::string, size_t> got;
  const auto count = [&got](const std::string& name) {
    return [&got, name](const std::vector<AlertEvent>& some) { got[name] += some.size(); };
  };
  deliver_alerts(events, {{"log", count("log")}, {"webhook", count("webhook")}});
  EXPECT_EQ(got, (std::map<std::string, size_t>{{"log", 2}, {"webhook", 1}}));
  deliver_alerts({events[0]}, {{"webhook", [](const auto&) { FAIL() << "it has no events"; }}});
}

}  // namespace
}  // namespace suanli::monitor
