// The text format of metrics is read strictly, with the line of what is wrong.
#include "monitor/metrics_text.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

std::string refusal(const std::string& text) {
  return error_of([&] { parse_metrics_text(text, "m"); });
}

TEST(AlertMetricsText, ReadsWhatTheFormatHas) {
  const auto samples = parse_metrics_text(
      "# HELP http_requests_total The \"total\".\n"
      "# TYPE http_requests_total counter\n"
      "\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "\t spaced { b = \"2\" , a = \"1\", }  -1.5e-3 \n"
      "quoted{path=\"C:\\\\DIR\\n\\\"x\\\"\"} +Inf\n"
      "a:b_9 NaN\n"
      "none{} -Inf\n",
      "m");
  ASSERT_EQ(samples.size(), 5u);
  EXPECT_EQ(samples[0].name, "http_requests_total");
  EXPECT_EQ(samples[0].labels, (Labels{{"code", "200"}, {"method", "post"}})) << "sorted by name";
  EXPECT_EQ(samples[0].value, 1027);
  EXPECT_EQ(samples[1].labels, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(samples[1].value, -1.5e-3);
  EXPECT_EQ(label_value(samples[2].labels, "path"), "C:\\DIR\n\"x\"");
  EXPECT_EQ(label_text(samples[2].labels), "{path=\"C:\\\\DIR\\n\\\"x\\\"\"}");
  EXPECT_EQ(samples[2].value, HUGE_VAL);
  EXPECT_TRUE(std::isnan(samples[3].value));
  EXPECT_EQ(samples[4].value, -HUGE_VAL);
  EXPECT_EQ(label_value(samples[4].labels, "missing"), "");
}

TEST(AlertMetricsText, RefusesWithTheLine) {
  EXPECT_NE(refusal("ok 1\n9bad 1\n").find("[m:2] expected the name of a metric"), std::string::npos);
  EXPECT_NE(refusal("ok\n").find("[m:1] expected a number, got the end of the line"), std::string::npos);
  EXPECT_NE(refusal("ok 1x\n").find("expected a number, got \"1x\""), std::string::npos);
  EXPECT_NE(refusal("ok +-1\n").find("expected a number"), std::string::npos);
  EXPECT_NE(refusal("ok 1 2 3\n").find("expected the end of the line"), std::string::npos);
  EXPECT_NE(refusal("ok 1 1.5\n").find("expected a time stamp"), std::string::npos);
  EXPECT_NE(refusal("ok{a=\"1\",a=\"2\"} 1\n").find("the label a comes twice"), std::string::npos);
  EXPECT_NE(refusal("ok{a:b=\"1\"} 1\n").find("expected '='"), std::string::npos) << "no colon in names of labels";
  EXPECT_NE(refusal("ok{a=1} 1\n").find("expected a value in quotes"), std::string::npos);
  EXPECT_NE(refusal("ok{a=\"1} 1\n").find("expected a closing quote"), std::string::npos);
  EXPECT_NE(refusal("ok{a=\"\\t\"} 1\n").find("behind a backslash"), std::string::npos);
  EXPECT_NE(refusal("ok{a=\"1\" b=\"2\"} 1\n").find("expected ',' or '}'"), std::string::npos);
  EXPECT_NE(refusal("ok{b=\"2\"} 1\nok{b=\"2\"} 2\n").find("[m:2] the series ok{b=\"2\"} comes twice"),
            std::string::npos);
  EXPECT_NE(refusal("ok 12").find("cut short"), std::string::npos) << "it may have been 123";
  EXPECT_NE(refusal("ok{a=\"\xff\"} 1\n").find("UTF-8"), std::string::npos);
}

TEST(AlertMetricsText, IsBounded) {
  std::string labels;
  for (int i = 0; i < 65; ++i) labels += concat("l", i, "=\"\",");
  EXPECT_NE(refusal("m{" + labels + "} 1\n").find("at most 64 labels"), std::string::npos);
  std::string samples;
  for (int i = 0; i <= 100'000; ++i) samples += concat("m", i, " 1\n");
  EXPECT_NE(refusal(samples).find("[m:100001] expected at most 100000 samples"), std::string::npos);
  EXPECT_NE(refusal(std::string((16 << 20) + 1, '\n')).find("at most 16777216 bytes"), std::string::npos);
}

}  // namespace
}  // namespace suanli::monitor
