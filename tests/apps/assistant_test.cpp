// Customer service answers where it is sure, passes on where it is not, and lets a message lean on the one before.
#include "apps/assistant.h"

#include <gtest/gtest.h>

#include "apps/stand_in.h"
#include "expect_error.h"

namespace suanli::apps {
namespace {

std::vector<Answer> bank_answers() {
  return {
      {.question = "how do i open an account",
       .text = "With your passport.",
       .source = "https://bank/open",
       .intent = {}},
      {.question = "what does a transfer cost", .text = "Nothing.", .source = "https://bank/transfer", .intent = {}},
      {.question = "which fees has the account", .text = "Five a month.", .source = {}, .intent = {}},
      {.question = "my card is lost", .text = "It is blocked now.", .source = {}, .intent = "card_lost"}};
}

Assistant bank_assistant(AssistantOptions options = {}) {
  const auto answers = bank_answers();
  return {options, answers, stand_in_index(answers), {"card_lost", "greeting"}};
}

Reply reply_to(const Assistant& assistant, const std::string& text, const std::vector<double>& scores,
               const SessionState& state = {.turns = 1}) {
  const Intent intent = assistant.intent_of(scores, text, state.intent);
  const auto query = stand_in_vector(assistant.query_of(text, state));
  return assistant.decide(text, state, intent, assistant.candidates(query, intent, text, state));
}

TEST(Assistant, AQuestionOfTheAnswersGetsItsAnswer) {
  const Assistant assistant = bank_assistant();
  const Reply reply = reply_to(assistant, "how do i open an account", {0.5, 0.5});
  ASSERT_TRUE(reply.row);
  EXPECT_EQ(*reply.row, 0u);
  EXPECT_GT(reply.confidence, 0.9);
  EXPECT_EQ(reply.reason, Reason::none);
}

TEST(Assistant, WhatItDoesNotKnowGoesToAPersonAndSaysWhy) {
  const Assistant assistant = bank_assistant();
  EXPECT_EQ(reply_to(assistant, "sing me a song", {0.5, 0.5}).reason, Reason::out_of_scope);
  EXPECT_EQ(reply_to(assistant, "sing me a song", {0.1, 0.9}).reason, Reason::low_confidence);
  EXPECT_EQ(reply_to(assistant, "can i speak to a human please", {0.1, 0.9}).reason, Reason::asked_for_a_person);
  EXPECT_EQ(reply_to(assistant, "how do i open an account", {0.5, 0.5}, {.turns = 51}).reason, Reason::too_many_turns);
}

TEST(Assistant, AnAnswerOfAnIntentIsGivenToThatIntentAlone) {
  const Assistant assistant = bank_assistant();
  const Reply known = reply_to(assistant, "somebody took it from my bag", {0.9, 0.1});
  ASSERT_TRUE(known.row);
  EXPECT_EQ(*known.row, 3u);
  EXPECT_EQ(known.confidence, 0.9);
  EXPECT_FALSE(reply_to(assistant, "my card is lost", {0.5, 0.5}).row) << "no intent was recognised";
  const auto answers = bank_answers();
  EXPECT_NE(error_of([&] { Assistant({}, answers, stand_in_index(answers), {"greeting"}); }).find("card_lost"),
            std::string::npos);
}

TEST(Assistant, AFollowUpIsLookedUpBehindTheQuestionBeforeAndKeepsItsIntent) {
  const Assistant assistant = bank_assistant();
  const SessionState after{.turns = 2, .intent = "card_lost", .answer_row = 0};
  EXPECT_EQ(assistant.query_of("and which fees has it", after), "how do i open an account and which fees has it");
  EXPECT_EQ(assistant.query_of("what does a transfer cost", after), "what does a transfer cost");
  EXPECT_TRUE(assistant.intent_of(std::vector{0.5, 0.5}, "what about it", "card_lost").from_context);
  EXPECT_FALSE(assistant.intent_of(std::vector{0.5, 0.5}, "sing me a song", "card_lost").recognised);
  EXPECT_EQ(assistant.intent_of(std::vector{0.1, 0.9}, "what about it", "card_lost").label, "greeting");
  for (const Candidate& one :
       assistant.candidates(stand_in_vector("how do i open an account"), {}, "and that?", after)) {
    EXPECT_NE(one.row, 0u) << "the answer that it follows";
  }
}

TEST(Assistant, TwoQuestionsThatFitAlikeAreAGuess) {
  const std::vector<Answer> answers = {{.question = "card limit abroad", .text = "a", .source = {}, .intent = {}},
                                       {.question = "card limit at home", .text = "a", .source = {}, .intent = {}}};
  const Assistant assistant({}, answers, stand_in_index(answers), {});
  const double sure = assistant.confidence_of(std::vector<Candidate>{{0, 0.9}, {1, 0.7}});
  const double torn = assistant.confidence_of(std::vector<Candidate>{{0, 0.9}, {1, 0.9}});
  EXPECT_NEAR(sure, 1.2 / 1.3, 1e-9);
  EXPECT_NEAR(torn, 0.9 / 1.3, 1e-9);
  EXPECT_EQ(assistant.confidence_of({}), 0);
}

TEST(Assistant, WordsForAPersonAloneAreNoWishForOne) {
  for (const char* text : {"agent", "I want to talk to a real person", "connect me with an advisor", "human please"}) {
    EXPECT_TRUE(asks_for_a_person(text)) << text;
  }
  for (const char* text : {"someone used my card", "which person signed this", "", "talk about fees"}) {
    EXPECT_FALSE(asks_for_a_person(text)) << text;
  }
}

TEST(Assistant, ThresholdsAreShares) {
  EXPECT_NE(error_of([] { bank_assistant({.intent_threshold = 1.5}); }).find("1.5"), std::string::npos);
  EXPECT_NE(error_of([] { bank_assistant({.answer_threshold = -0.1}); }).find("-0.1"), std::string::npos);
}

}  // namespace
}  // namespace suanli::apps
