// Alert rules mean what docs/alerts.md says, and what is wrong in them is told with its line.
#include "monitor/alert_rules.h"

#include <gtest/gtest.h>

#include "expect_error.h"

namespace suanli::monitor {
namespace {

AlertRule one_rule(const std::string& keys) {
  return parse_alert_rules("rules:\n  - name: n\n    metric: m\n" + keys, "r").at(0);
}

std::string refusal(const std::string& keys) {
  return error_of([&] { one_rule(keys); });
}

TEST(AlertRules, DefaultsAndKeys) {
  const AlertRule plain = one_rule("    above: 0.2\n");
  EXPECT_EQ(plain.above, 0.2);
  EXPECT_EQ(plain.severity, "warning");
  EXPECT_EQ(plain.repeat_seconds, 3600);
  EXPECT_EQ(plain.for_seconds, 0);
  EXPECT_EQ(plain.deliver, std::vector<std::string>{"log"});
  EXPECT_FALSE(plain.by.has_value());

  const AlertRule full = one_rule(
      "    labels: {code: \"5..\", flag: true, number: 500}\n    by: [route, model]\n    quantile: 0.99\n"
      "    below: -1\n    for: 1m30s\n    keep_firing_for: 10\n    repeat: never\n    severity: page\n"
      "    annotations: {summary: \"{{ $value }} on {{$labels.route}}\"}\n    deliver: [webhook]\n");
  EXPECT_EQ(full.labels.at("code").text(), "5..");
  EXPECT_EQ(full.labels.at("flag").text(), "true");
  EXPECT_EQ(full.labels.at("number").text(), "500");
  EXPECT_EQ(full.by, (std::vector<std::string>{"model", "route"}));
  EXPECT_EQ(full.rate, 300) << "of a quantile without rate";
  EXPECT_EQ(full.for_seconds, 90);
  EXPECT_EQ(full.keep_firing_seconds, 10);
  EXPECT_EQ(full.repeat_seconds, 0);
  EXPECT_EQ(full.deliver, std::vector<std::string>{"webhook"});
}

TEST(AlertRules, SurgesOfCountersAndOfValues) {
  const AlertRule poisson = one_rule("    surge: {method: poisson, window: 30s, alpha: 0.01, min_count: 7}\n");
  const auto& counts = std::get<PoissonSurgeOptions>(*poisson.surge);
  EXPECT_EQ(counts.window, 30);
  EXPECT_EQ(counts.alpha, 0.01);
  EXPECT_EQ(counts.min_count, 7);
  const AlertRule values = one_rule("    surge: {method: cusum, k: 0.25, h: 8}\n");
  EXPECT_EQ(std::get<CusumOptions>(*values.surge).window, 0) << "a gauge by its name";
  const AlertRule counter = parse_alert_rules("rules: [{name: n, metric: m_total, surge: {method: cusum}}]", "r").at(0);
  EXPECT_EQ(std::get<CusumOptions>(*counter.surge).window, 60) << "a counter by its name";
}

TEST(AlertRules, RefusalsNameTheLine) {
  EXPECT_NE(refusal("    abvoe: 1\n").find("[r:4] unknown key \"abvoe\"; did you mean \"above\"?"), std::string::npos);
  EXPECT_NE(refusal("    above: much\n").find("[r:4] expected \"above\" to be a number, got \"much\""),
            std::string::npos);
  EXPECT_NE(refusal("").find("expected one of above, below and surge, got 0 of them"), std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    below: 0\n").find("got 2 of them"), std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    for: soon\n").find("[r:5] expected \"for\" to be a duration"),
            std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    for: 0\n").find("duration"), std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    quantile: 99\n").find("[r:5] expected \"quantile\" to be between 0 and 1"),
            std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    labels:\n      code: \"5(\"\n").find("[r:6] [labels] expected a regular"),
            std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    labels: {code: 0.5}\n").find("put it in quotes"), std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    deliver: [log, webook]\n").find("did you mean \"webhook\"?"), std::string::npos);
  EXPECT_NE(refusal("    above: 1\n    annotations:\n      a: \"{{ .Value }}\"\n").find("[r:6]"), std::string::npos);
  EXPECT_NE(refusal("    surge: {method: ewma}\n").find("poisson or cusum"), std::string::npos);
  EXPECT_NE(refusal("    surge: {method: poisson, k: 1}\n").find("unknown key \"k\""), std::string::npos);
  EXPECT_NE(refusal("    surge: {method: cusum, h: -1}\n").find("expected h to be above 0, got -1"), std::string::npos);
  EXPECT_NE(refusal("    rate: 60s\n    surge: {method: poisson}\n").find("drop them"), std::string::npos);
  EXPECT_NE(error_of([] { parse_alert_rules("rules:\n- name: a\n  metric: 5m\n  above: 1\n", "r"); }).find("[r:3]"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              parse_alert_rules("rules:\n- {name: a, metric: m, above: 1}\n- {name: a, metric: m, above: 2}\n", "r");
            }).find("[r:3] the rule \"a\" comes twice"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_alert_rules("- a\n", "r"); }).find("expected the file to be a mapping"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_alert_rules("rules: [1]\n", "r"); }).find("mapping of keys, got 1"), std::string::npos);
}

TEST(AlertRules, DurationsAreThoseOfPrometheus) {
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("0.5"), 0.5);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("1m500ms"), 60.5);
  EXPECT_EQ(parse_duration("1d"), 86400);
  for (const char* wrong : {"", "s", "5x", "1m1h", "1m1m", "1m5", "-1s", "1.5h", "1e400", "inf"}) {
    EXPECT_FALSE(parse_duration(wrong).has_value()) << wrong;
  }
}

TEST(AlertRules, PatternsAreAnchored) {
  const LabelPattern pattern("5..|timeout", "r");
  EXPECT_TRUE(pattern.matches("503"));
  EXPECT_FALSE(pattern.matches("1503"));
  EXPECT_FALSE(pattern.matches("5033"));
  EXPECT_FALSE(pattern.matches("timeout2"));
  EXPECT_FALSE(pattern.matches("503\n"));
  EXPECT_TRUE(LabelPattern("", "r").matches("")) << "a missing label, as in PromQL";
  EXPECT_TRUE(LabelPattern(".+", "r").matches("a\nb"));
  const LabelPattern slow("(a+a+)+[bc]", "r");
  EXPECT_NE(error_of([&] { slow.matches(std::string(40, 'a')); }).find("write a simpler one"), std::string::npos);
}

}  // namespace
}  // namespace suanli::monitor
