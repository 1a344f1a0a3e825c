// Sessions are bounded in number and age, and belong to one client.
#include "apps/sessions.h"

#include <gtest/gtest.h>

#include <set>

namespace suanli::apps {
namespace {

Sessions counted_sessions(const SessionLimits& limits) {
  return {limits, [next = 0]() mutable { return std::string(1, 's').append(std::to_string(next++)); }};
}

TEST(Sessions, OneTooManyEndsTheOneThatWasQuietLongest) {
  Sessions sessions = counted_sessions({.sessions = 3, .turns = 5, .idle_seconds = 100});
  for (int i = 0; i < 3; ++i) sessions.begin("", i);
  EXPECT_TRUE(sessions.turn("s0", "", 4)) << "s1 is now the quiet one";
  EXPECT_EQ(sessions.begin("", 5), "s3");
  EXPECT_EQ(sessions.size(), 3u);
  EXPECT_FALSE(sessions.turn("s1", "", 6));
  EXPECT_TRUE(sessions.turn("s0", "", 6));
  for (int i = 0; i < 1000; ++i) sessions.begin("", 7);
  EXPECT_EQ(sessions.size(), 3u);
}

TEST(Sessions, AQuietOneExpiresAndATurnKeepsItAlive) {
  Sessions sessions = counted_sessions({.sessions = 10, .turns = 5, .idle_seconds = 100});
  sessions.begin("", 0);
  sessions.begin("", 0);
  EXPECT_TRUE(sessions.turn("s0", "", 100));
  EXPECT_FALSE(sessions.turn("s1", "", 101));
  EXPECT_TRUE(sessions.turn("s0", "", 200));
  EXPECT_EQ(sessions.size(), 1u) << "what has expired is gone, not only refused";
  EXPECT_FALSE(sessions.turn("s0", "", 301));
  EXPECT_EQ(sessions.size(), 0u);
}

TEST(Sessions, ItBelongsToTheClientThatBeganIt) {
  Sessions sessions = counted_sessions({});
  sessions.begin("anna", 0);
  EXPECT_FALSE(sessions.turn("s0", "ben", 1));
  EXPECT_EQ(sessions.turn("s0", "anna", 1)->turns, 1);
}

TEST(Sessions, ItRemembersTheLastIntentAndAnswer) {
  Sessions sessions = counted_sessions({});
  sessions.begin("", 0);
  sessions.remember("s0", "card_lost", 3);
  sessions.remember("s0", "", {});
  const auto state = sessions.turn("s0", "", 1);
  EXPECT_EQ(state->intent, "card_lost");
  EXPECT_EQ(state->answer_row, 3u);
  sessions.remember("unknown", "x", 1);
  EXPECT_EQ(sessions.size(), 1u);
}

TEST(Sessions, NamesAre128BitsThatDiffer) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(random_session_id());
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_EQ(names.begin()->size(), 32u);
}

}  // namespace
}  // namespace suanli::apps
