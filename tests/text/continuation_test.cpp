/// A text stops at the first stop string, however its tokens cut it, and nothing of one is given out before.
#include "text/continuation.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace suanli {
namespace {

/// Token i is the byte i; from 256 on some of several characters.
Tokenizer bytes() {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary +=
        std::string("\"<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">\": " + std::to_string(byte) + ", ";
  }
  return Tokenizer::from_json(
      R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
          "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": true, "ignore_merges": false,
                    "merges": [], "vocab": {)" +
          vocabulary + R"("abc": 256, "ab": 257, "bca": 258, "xabcx": 259}}})",
      "test");
}

std::vector<int32_t> ids_of(std::string_view text) {
  std::vector<int32_t> ids;
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

const std::vector<int32_t> kPrompt = ids_of("p");

/// What text_before_stop() is after each byte of `text`.
std::vector<std::string> steps(std::vector<std::string> stops, std::string_view text) {
  Continuation continuation(bytes(), kPrompt, std::move(stops));
  std::vector<std::string> out;
  for (const int32_t id : ids_of(text)) {
    continuation.take({&id, 1});
    out.emplace_back(continuation.text_before_stop());
  }
  return out;
}
using Texts = std::vector<std::string>;

TEST(Continuation, WithoutStopStringsAllTextComesAtOnce) { EXPECT_EQ(steps({}, "abc"), (Texts{"a", "ab", "abc"})); }

TEST(Continuation, WhatMayBeginAStopStringIsHeldBack) {
  EXPECT_EQ(steps({"abc"}, "xabd"), (Texts{"x", "x", "x", "xabd"}));
  EXPECT_EQ(steps({"abc"}, "xabc!"), (Texts{"x", "x", "x", "x", "x"}));
  EXPECT_EQ(steps({"aab"}, "aaab"), (Texts{"", "", "a", "a"})) << "the beginning that fails holds another";
  EXPECT_EQ(steps({"abc", "b"}, "ab"), (Texts{"", "a"})) << "the first that is complete";
  EXPECT_EQ(steps({"c", "abc"}, "abc"), (Texts{"", "", ""})) << "of those complete at once the longest";
  EXPECT_EQ(steps({"\xC3\xA9"}, "\xC3\xA8\xC3\xA9"), (Texts{"", "\xC3\xA8", "\xC3\xA8", "\xC3\xA8"}));
}

TEST(Continuation, TheEndGivesWhatWasHeldBackUnlessItStopped) {
  Continuation open(bytes(), kPrompt, {"abc"});
  EXPECT_FALSE(open.take(ids_of("xab")));
  EXPECT_EQ(open.text(), "xab");
  EXPECT_EQ(open.text_before_stop(), "x");
  open.end();
  EXPECT_EQ(open.text_before_stop(), "xab");
  Continuation stopped(bytes(), kPrompt, {"abc"});
  EXPECT_TRUE(stopped.take(ids_of("xabc")));
  stopped.end();
  EXPECT_EQ(stopped.text(), "xabc") << "transformers keeps the stop string";
  EXPECT_EQ(stopped.text_before_stop(), "x");
  EXPECT_EQ(stopped.tokens(), 4U);
}

TEST(Continuation, StopStringsAreFoundWithinATokenToo) {
  Continuation continuation(bytes(), kPrompt, {"abc"});
  EXPECT_TRUE(continuation.take(std::vector<int32_t>{259}));
  EXPECT_EQ(continuation.text(), "xabcx");
  EXPECT_EQ(continuation.text_before_stop(), "x");
}

// Short texts of three letters against a plain search for each prefix, in tokens of one to five characters.
TEST(Continuation, RandomTextsStopWhereAPlainSearchSays) {
  const Tokenizer tokenizer = bytes();
  size_t stops_seen = 0;
  for (uint32_t round = 0; round < 2000; ++round) {
    RandomGenerator random({.seed = 3, .step = round});
    std::vector<std::string> stops(1 + random.below(3));
    for (std::string& stop : stops) {
      for (uint64_t size = 1 + random.below(4); size > 0; --size) stop += static_cast<char>('a' + random.below(3));
    }
    Continuation continuation(tokenizer, kPrompt, stops);
    std::string given, text;
    bool stopped = false;
    for (int i = 0; i < 12 && !stopped; ++i) {
      const auto id = static_cast<int32_t>(random.below(2) == 0 ? 'a' + random.below(3) : 256 + random.below(4));
      stopped = continuation.take({&id, 1});
      ASSERT_TRUE(continuation.text_before_stop().starts_with(given)) << "what was given out stays";
      given = continuation.text_before_stop();
    }
    text = continuation.text();
    size_t expected = std::string::npos;
    for (size_t end = 1; end <= text.size() && expected == std::string::npos; ++end) {
      for (const std::string& stop : stops) {
        if (std::string_view(text).substr(0, end).ends_with(stop)) expected = std::min(expected, end - stop.size());
      }
    }
    ASSERT_EQ(stopped, expected != std::string::npos) << text;
    if (stopped) ++stops_seen;
    continuation.end();
    ASSERT_EQ(continuation.text_before_stop(), text.substr(0, expected)) << text;
  }
  EXPECT_GT(stops_seen, 500U);
}

}  // namespace
}  // namespace suanli
