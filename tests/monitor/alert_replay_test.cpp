// Rules are tested by replaying recorded metrics: the example's events come, and what differs is told.
#include "monitor/alert_replay.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

namespace fs = std::filesystem;

fs::path example(const std::string& name) { return fs::path(SUANLI_TESTS_DIR).parent_path() / "examples" / name; }

fs::path written(const std::string& text) {
  const fs::path file =
      fs::path(testing::TempDir()) /
      (std::string("suanli_") + testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl");
  write_file_atomically(file, text);
  return file;
}

std::vector<AlertEvent> replay(const std::string& lines) {
  return replay_alerts(parse_alert_rules("rules: [{name: n, metric: m, above: 1}]", "r"), written(lines));
}

TEST(AlertReplay, TheExampleTellsEachTroubleOnce) {
  const auto events = replay_alerts(read_alert_rules(example("alert_rules.yaml")), example("alert_metrics.jsonl"));
  EXPECT_EQ(compare_events(events, example("alert_events.jsonl")), std::vector<std::string>());
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].deliver, std::vector<std::string>{"log"}) << "the rule's own, not the file's";
  EXPECT_EQ(events.back().deliver, (std::vector<std::string>{"log", "webhook"}));
}

TEST(AlertReplay, TakesTextAndSamples) {
  const auto events = replay(
      "{\"time\": 0, \"metrics\": \"m{a=\\\"x\\\"} 2\\n\"}\n\n"
      "{\"time\": 1, \"samples\": [{\"name\": \"m\", \"labels\": {\"a\": \"x\"}, \"value\": 0.5}]}\n"
      "{\"time\": 2, \"samples\": [{\"name\": \"m\", \"value\": \"+Inf\"}]}");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_FALSE(events[1].firing);
  EXPECT_EQ(to_json(events[2])["value"], Json()) << "JSON has no infinity";
}

TEST(AlertReplay, ErrorsNameTheLine) {
  const auto refusal = [](const std::string& lines) { return error_of([&] { replay(lines); }); };
  const std::string good = "{\"time\": 5, \"samples\": []}\n";
  EXPECT_NE(refusal(good + "{\"time\": 5, \"samples\": []}").find(".jsonl:2] expected times that rise"),
            std::string::npos);
  EXPECT_NE(refusal(good + "{\"time\": 6}").find(":2] expected \"metrics\" or \"samples\""), std::string::npos);
  EXPECT_NE(refusal(good + "{\"time\": 6, \"metrics\": \"\\n1\\n\"}").find(":2 metrics:2]"), std::string::npos);
  EXPECT_NE(refusal(good + "nonsense").find(":2"), std::string::npos);
  EXPECT_NE(refusal("[]").find(":1]"), std::string::npos);
  EXPECT_NE(refusal("{\"time\": 6, \"samples\": [{\"name\": \"m\", \"value\": \"x\"}]}").find(":1]"),
            std::string::npos);
}

TEST(AlertReplay, DifferencesAreTold) {
  AlertEvent event;
  event.rule = "n";
  event.time = 3;
  event.value = 0.1 + 0.2;
  const auto differences = [&](const std::string& expected) { return compare_events({event}, written(expected)); };
  EXPECT_TRUE(differences("{\"rule\": \"n\", \"value\": 0.3}\n").empty()) << "numbers agree within 1e-9";
  EXPECT_EQ(differences("{\"rule\": \"n\", \"value\": 0.31}\n").size(), 1u);
  EXPECT_EQ(differences("{\"rule\": \"o\", \"status\": \"resolved\"}\n").size(), 2u);
  EXPECT_EQ(differences("{\"unknown\": null}\n").size(), 1u) << "a key that no event has";
  EXPECT_EQ(differences("").size(), 1u) << "an event that nobody expected";
  EXPECT_EQ(differences("{}\n{}\n").size(), 1u) << "an event that did not come";
}

}  // namespace
}  // namespace suanli::monitor
