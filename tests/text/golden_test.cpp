// Ids, offsets, words and types are those of the PyPI package `tokenizers` on every one of 20,000 lines: exact.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "golden_lines.h"
#include "text/tokenizer.h"

namespace suanli {
namespace {

std::string golden_file(const std::string& name) {
  return read_file(std::string(SUANLI_TESTS_DIR) + "/golden/tokenizer/" + name);
}

uint64_t fnv(const Encoding& encoding) {
  uint64_t value = 0xCBF29CE484222325;
  const auto add = [&](uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) value = (value ^ ((number >> shift) & 0xFF)) * 0x100000001B3;
  };
  for (size_t i = 0; i < encoding.size(); ++i) {
    add(static_cast<uint32_t>(encoding.ids[i]));
    add(encoding.offsets[i].first);
    add(encoding.offsets[i].second);
    add(static_cast<uint32_t>(encoding.word_ids[i] + 1));
    add(static_cast<uint32_t>(encoding.types[i]));
  }
  return value;
}

class Golden : public testing::TestWithParam<const char*> {
 protected:
  std::string name_ = GetParam();
  Tokenizer tokenizer_ = Tokenizer::from_json(golden_file(name_ + ".json"), name_);
};

void expect_equal(const Encoding& encoding, const Json& expected) {
  EXPECT_EQ(encoding.ids, expected.at("ids").get<std::vector<int32_t>>());
  using Offsets = std::vector<std::pair<uint32_t, uint32_t>>;
  EXPECT_EQ(encoding.offsets, expected.at("offsets").get<Offsets>());
  EXPECT_EQ(encoding.types, expected.at("types").get<std::vector<int32_t>>());
  EXPECT_EQ(encoding.word_ids, expected.at("word_ids").get<std::vector<int32_t>>());
  EXPECT_EQ(encoding.special, expected.at("special").get<std::vector<uint8_t>>());
  EXPECT_EQ(encoding.attention, std::vector<uint8_t>(encoding.size(), 1));
}

TEST_P(Golden, EveryLineHasThePeersTokens) {
  const std::string hashes = golden_file(name_ + ".hashes");
  ASSERT_EQ(hashes.size(), golden::kLines * 8);
  Encoding encoding;
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < golden::kLines; ++i) {
    uint64_t expected = 0;
    std::memcpy(&expected, hashes.data() + i * 8, 8);
    tokenizer_.encode_into(golden::line(i), {}, encoding);
    if (fnv(encoding) != expected && ++wrong <= 3) ADD_FAILURE() << "line " << i << " differs";
  }
  EXPECT_EQ(wrong, 0U) << "of " << golden::kLines;
}

TEST_P(Golden, LinesPairsTruncationWordsAndDecodingAreThePeers) {
  const Json cases = parse_json(golden_file(name_ + ".cases"), name_);
  ASSERT_EQ(cases.size(), 140U);
  for (const Json& expected : cases) {
    const std::string kind = expected.at("kind");
    SCOPED_TRACE(kind + " " + (expected.contains("line") ? expected.at("line").dump() : ""));
    EncodeOptions options;
    options.max_length = expected.value("max_length", 0);
    options.truncation_side = expected.value("side", "right") == "left" ? Side::left : Side::right;
    const std::string text = golden::line(expected.value("line", 0));
    if (kind == "words") {
      expect_equal(tokenizer_.encode_words(expected.at("words").get<std::vector<std::string>>()), expected);
    } else if (kind == "pair") {
      expect_equal(tokenizer_.encode_pair(text, golden::line(expected.at("second")), options), expected);
    } else {
      const Encoding encoding = tokenizer_.encode(text, options);
      expect_equal(encoding, expected);
      if (kind == "line") {
        EXPECT_EQ(tokenizer_.decode(encoding.ids), expected.at("decoded").get<std::string>());
      }
    }
  }
}

TEST_P(Golden, ManyThreadsMayShareOne) {
  std::vector<uint64_t> sums(4, 0);
  std::vector<std::thread> threads;
  for (uint64_t& sum : sums) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < 500; ++i) sum += fnv(tokenizer_.encode(golden::line(i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const uint64_t sum : sums) EXPECT_EQ(sum, sums[0]);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Golden, testing::Values("word_piece", "byte_level_bpe"));

}  // namespace
}  // namespace suanli
