// Log lines go to stderr, one a message, and stay machine-readable where JSON is asked for.
#include "base/log.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "base/json.h"

namespace suanli {
namespace {

TEST(Log, LowerLevelsAreSilent) {
  configure_log(LogLevel::warning, false);
  testing::internal::CaptureStderr();
  log_info("quiet");
  log_warning("loud");
  const std::string text = testing::internal::GetCapturedStderr();
  configure_log(LogLevel::info, false);
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("warning: loud\n"), std::string::npos) << text;
}

TEST(Log, AMessageWithBracesIsNoFormat) {
  testing::internal::CaptureStderr();
  log_info("{'loss': 2.1} %d {}");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("{'loss': 2.1} %d {}"), std::string::npos);
}

TEST(Log, JsonLinesParseWhateverTheMessageHolds) {
  configure_log(LogLevel::debug, true);
  testing::internal::CaptureStderr();
  log_debug("quote \" backslash \\ newline \n bad byte \xFF {}");
  const std::string text = testing::internal::GetCapturedStderr();
  configure_log(LogLevel::info, false);
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const Json line = parse_json(text, "log");
  EXPECT_EQ(json_get<std::string>(line, "level", "log"), "debug");
  EXPECT_EQ(json_get<std::string>(line, "message", "log"), "quote \" backslash \\ newline \n bad byte \uFFFD {}");
}

TEST(Log, TopicsAreExactNamesBetweenCommas) {
  setenv("SUANLI_LOG", "kernels,memory", 1);
  EXPECT_TRUE(log_topic("kernels"));
  EXPECT_TRUE(log_topic("memory"));
  EXPECT_FALSE(log_topic("kernel"));
  EXPECT_FALSE(log_topic(""));
  unsetenv("SUANLI_LOG");
  EXPECT_FALSE(log_topic("kernels"));
}

}  // namespace
}  // namespace suanli
