// A surge of negative messages is one alert with the messages behind it, whatever the order that they come in.
#include "apps/sentiment_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "apps/sentiment_replay.h"
#include "base/random.h"
#include "expect_error.h"

namespace suanli::apps {
namespace {

using Events = std::vector<monitor::AlertEvent>;

SentimentOptions test_options() {
  SentimentOptions out;
  out.window = 60;
  out.lateness = 0;
  return out;
}

Events add_all(SentimentWatch& watch, const std::vector<SentimentMessage>& messages) {
  Events out;
  for (const SentimentMessage& message : messages) {
    for (auto& event : watch.add(message).events) out.push_back(std::move(event));
  }
  return out;
}

/// Two hours of about one message in 20 s on each of three topics, a fifth negative; within the minute of 3600 s there
/// are twelve negative ones more about $BAD.
std::vector<SentimentMessage> stream_with_a_surge(uint32_t site = 1) {
  RandomGenerator random({.seed = 11, .site = site});
  std::vector<SentimentMessage> out;
  for (const char* topic : {"$BAD", "$CALM", "$MILD"}) {
    for (double time = 0; time < 7200; time -= 20 * std::log(1 - random.next_uniform())) {
      out.push_back({.time = std::floor(time * 10) / 10,
                     .text = std::string(topic) + " moves",
                     .negative = random.next_uniform() < 0.2 ? 0.9 : 0.1});
    }
  }
  for (int i = 0; i < 12; ++i) out.push_back({.time = 3605.0 + 4 * i, .text = "$BAD falls", .negative = 0.9});
  std::ranges::stable_sort(out, {}, &SentimentMessage::time);
  return out;
}

TEST(SentimentWatch, ASurgeIsToldOnceAndSoIsItsEnd) {
  SentimentWatch watch(test_options());
  Events events = add_all(watch, stream_with_a_surge());
  for (auto& event : watch.finish()) events.push_back(std::move(event));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(events[0].firing);
  EXPECT_EQ(events[0].labels, (monitor::Labels{{"topic", "$BAD"}}));
  EXPECT_GE(events[0].time, 3605);
  EXPECT_LE(events[0].time, 3650) << "within the surge";
  EXPECT_FALSE(events[1].firing);
  EXPECT_EQ(events[1].labels, events[0].labels);
  EXPECT_LE(events[1].time, 3780) << "the first window without it ends then";
  EXPECT_EQ(watch.alerts(10).size(), 2u);
}

TEST(SentimentWatch, TheMessagesBehindAnAlertAreTheTopicsNegativeOnesOfTheWindow) {
  SentimentWatch watch(test_options());
  const auto stream = stream_with_a_surge();
  const Events events = add_all(watch, stream);
  ASSERT_FALSE(events.empty());
  const Json messages = parse_json(events[0].annotations.at("messages"), "messages");
  std::vector<double> expected, got;
  for (const SentimentMessage& message : stream) {
    const bool in_window = std::floor(message.time / 60) == std::floor(events[0].time / 60);
    if (in_window && message.time <= events[0].time && message.negative > 0.5 && message.text.starts_with("$BAD")) {
      expected.push_back(message.time);
    }
  }
  for (const Json& one : messages) {
    EXPECT_TRUE(one["text"].get<std::string>().starts_with("$BAD"));
    EXPECT_GE(one["negative"].get<double>(), 0.5);
    got.push_back(one["time"].get<double>());
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(static_cast<double>(got.size()), events[0].value);
}

TEST(SentimentWatch, ASurgeOfMessagesOfAllKindsIsNone) {
  auto stream = stream_with_a_surge();
  for (int i = 0; i < 60; ++i) stream.push_back({.time = 3602.0 + 0.9 * i, .text = "$BAD trades", .negative = 0.1});
  std::ranges::stable_sort(stream, {}, &SentimentMessage::time);
  SentimentWatch watch(test_options());
  for (const auto& event : add_all(watch, stream)) ADD_FAILURE() << event.time << ": " << event.message;
}

TEST(SentimentWatch, TheOrderOfComingWithinTheLatenessChangesNothing) {
  SentimentOptions options = test_options();
  options.lateness = 30;
  auto stream = stream_with_a_surge();
  // Times that occur once: of equal ones the order of coming stands.
  stream.erase(std::unique(stream.begin(), stream.end(), [](auto& a, auto& b) { return a.time == b.time; }),
               stream.end());
  const auto events_of = [&](const std::vector<SentimentMessage>& messages) {
    SentimentWatch watch(options);
    Events events = add_all(watch, messages);
    for (auto& event : watch.finish()) events.push_back(std::move(event));
    EXPECT_EQ(watch.counts().late, 0);
    std::string text;
    for (const auto& event : events) text += monitor::to_json(event).dump() + "\n";
    return text;
  };
  const std::string sorted = events_of(stream);
  EXPECT_FALSE(sorted.empty());
  RandomGenerator random({.seed = 5});
  std::vector<std::pair<double, SentimentMessage>> delayed;
  for (const auto& message : stream) delayed.emplace_back(message.time + 29 * random.next_uniform(), message);
  std::ranges::stable_sort(delayed, {}, &std::pair<double, SentimentMessage>::first);
  std::vector<SentimentMessage> shuffled;
  for (auto& [when, message] : delayed) shuffled.push_back(std::move(message));
  EXPECT_EQ(events_of(shuffled), sorted);
}

TEST(SentimentWatch, WhatComesTooLateIsCountedAndNotJudged) {
  SentimentOptions options = test_options();
  options.lateness = 10;
  SentimentWatch watch(options);
  EXPECT_FALSE(watch.add({.time = 1000, .text = "$A"}).late);
  EXPECT_FALSE(watch.add({.time = 990, .text = "$A"}).late);
  EXPECT_TRUE(watch.add({.time = 989, .text = "$A"}).late);
  watch.finish();
  EXPECT_EQ(watch.counts().messages, 2);
  EXPECT_EQ(watch.counts().late, 1);
  error_of([&] { watch.add({.time = NAN, .text = "$A"}); });
}

TEST(SentimentWatch, MemoryIsBounded) {
  SentimentOptions options = test_options();
  options.topics = 20;
  options.messages_per_topic = 10;
  options.alerts = 5;
  SentimentWatch watch(options);
  int alerts = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string name = "$";
    for (int n = i % 300; name.size() < 4; n /= 26) name += static_cast<char>('A' + n % 26);
    // Every thousand messages a burst about one topic.
    const bool burst = i % 1000 > 900;
    for (const auto& event : watch.add({.time = i * 0.5, .text = burst ? "$BURST" : name, .negative = 0.9}).events) {
      alerts += event.firing ? 1 : 0;
      EXPECT_LE(parse_json(event.firing ? event.annotations.at("messages") : "[]", "messages").size(), 10u);
    }
    ASSERT_LE(watch.topic_count(), 20u);
  }
  EXPECT_GT(alerts, 5);
  EXPECT_EQ(watch.alerts(100).size(), 5u);
  EXPECT_GT(watch.counts().forgotten_topics, 0);
}

TEST(SentimentWatch, AnAlertOfATopicThatFallsSilentEnds) {
  SentimentWatch watch(test_options());
  auto stream = stream_with_a_surge();
  std::erase_if(stream, [](const SentimentMessage& one) { return one.time > 3660; });
  ASSERT_EQ(add_all(watch, stream).size(), 1u);
  EXPECT_TRUE(watch.pass(10).empty());
  const Events events = watch.pass(180);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_FALSE(events[0].firing);
  EXPECT_TRUE(watch.pass(600).empty());
}

std::string lines_of(const std::vector<SentimentMessage>& stream) {
  std::string out;
  for (const SentimentMessage& one : stream) {
    out += Json({{"time", one.time}, {"text", one.text}, {"label", one.negative > 0.5 ? "bad" : "good"}}).dump() + "\n";
  }
  return out;
}

TEST(SentimentReplay, TheSameStreamGivesTheSameEventsWhateverTheBatch) {
  const std::string lines = lines_of(stream_with_a_surge());
  const auto events_of = [&](size_t batch) {
    std::istringstream in(lines);
    SentimentWatch watch(test_options());
    std::string out;
    const auto result = replay_messages(
        in, "stream", {.batch = batch},
        [](const std::vector<std::string>& texts) {
          std::vector<double> scores;
          for (const auto& text : texts) scores.push_back(text.ends_with("falls") ? 0.9 : 0.1);
          return scores;
        },
        watch,
        [&](const Events& events) {
          for (const auto& event : events) out += monitor::to_json(event).dump() + "\n";
        });
    EXPECT_EQ(result.lines, std::ranges::count(lines, '\n'));
    return out;
  };
  const std::string one = events_of(1);
  EXPECT_NE(one.find("firing"), std::string::npos);
  EXPECT_EQ(events_of(7), one);
  EXPECT_EQ(events_of(100'000), one);
}

TEST(SentimentReplay, LabelsStandForAPerfectModelAndBadLinesAreNamed) {
  const auto replay = [](const std::string& lines) {
    std::istringstream in(lines);
    SentimentWatch watch(test_options());
    int fired = 0;
    replay_messages(in, "stream", {.labels = true, .negative_label = "bad"}, {}, watch, [&](const Events& events) {
      for (const auto& event : events) fired += event.firing ? 1 : 0;
    });
    return fired;
  };
  EXPECT_EQ(replay(lines_of(stream_with_a_surge())), 1);
  EXPECT_NE(
      error_of([&] { replay("\n{\"time\": 1, \"text\": \"a\", \"label\": 0}\n{\"time\": 1}\n"); }).find("stream:3"),
      std::string::npos);
  EXPECT_NE(error_of([&] { replay("{\"time\": 1, \"text\": \"a\"}\n"); }).find("label"), std::string::npos);
}

}  // namespace
}  // namespace suanli::apps
