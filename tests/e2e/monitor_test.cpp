// `suanli monitor --replay` from the command line: events on stdout, and the exit code of a check.
#include <gtest/gtest.h>

#include <algorithm>

#include "e2e/program.h"

namespace suanli::e2e {
namespace {

TEST(Monitor, ReplayPrintsEventsAndChecksThem) {
  const std::filesystem::path examples = std::filesystem::path(SUANLI_TESTS_DIR).parent_path() / "examples";
  const std::string replay = "monitor --rules " + (examples / "alert_rules.yaml").string() + " --replay " +
                             (examples / "alert_metrics.jsonl").string();
  const ProgramRun checked = suanli(replay + " --expect " + (examples / "alert_events.jsonl").string());
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.out.find("{\"annotations\""), 0u) << checked.out;
  EXPECT_EQ(std::count(checked.out.begin(), checked.out.end(), '\n'), 9) << "one line an event";

  const std::filesystem::path other = scratch("monitor") / "events.jsonl";
  write(other, "{\"rule\": \"drift\", \"time\": 330}\n");
  const ProgramRun differs = suanli(replay + " --expect " + other.string());
  EXPECT_EQ(differs.code, 3);
  EXPECT_NE(differs.err.find("events.jsonl:1: expected time 330, got 300.0"), std::string::npos) << differs.err;
  EXPECT_EQ(suanli("monitor --rules " + (examples / "alert_rules.yaml").string()).code, 2);
}

}  // namespace
}  // namespace suanli::e2e
