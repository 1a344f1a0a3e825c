// Packing loses nothing and adds nothing; blocks hold the text in order.
#include "data/batch.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"

namespace suanli {
namespace {

using Ints = std::vector<int32_t>;

EncodedExample example(int64_t row, int32_t first, int32_t length) {
  EncodedExample e;
  e.row = row;
  for (int32_t i = 0; i < length; ++i) {
    e.ids.push_back(first + i);
    e.types.push_back(i % 2);
    e.special.push_back(i == 0 || i == length - 1);
  }
  return e;
}

TEST(Batch, SequencesStandOneAfterAnother) {
  std::vector<EncodedExample> examples = {example(5, 100, 3), example(9, 200, 1), example(2, 300, 2)};
  for (auto& e : examples) e.targets = {static_cast<float>(e.row), 1.0f};
  examples[0].labels = {-100, 1, -100};
  examples[1].labels = {2};
  examples[2].labels = {3, -100};
  const Batch batch = pack(examples);
  EXPECT_EQ(batch.ids, (Ints{100, 101, 102, 200, 300, 301}));
  EXPECT_EQ(batch.types, (Ints{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(batch.positions, (Ints{0, 1, 2, 0, 0, 1}));
  EXPECT_EQ(batch.offsets, (Ints{0, 3, 4, 6}));
  EXPECT_EQ(batch.token_labels, (Ints{-100, 1, -100, 2, 3, -100}));
  EXPECT_EQ(batch.targets, (std::vector<float>{5, 1, 9, 1, 2, 1}));
  EXPECT_EQ(batch.target_width, 2);
  EXPECT_EQ(batch.rows, (std::vector<int64_t>{5, 9, 2}));
  EXPECT_EQ(batch.longest, 3);
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.tokens(), 6);
}

TEST(Batch, ASequenceWithoutTokensIsRefusedByItsRow) {
  const std::vector<EncodedExample> examples = {example(7, 0, 0)};
  EXPECT_NE(error_of([&] { pack(examples); }).find("row 7"), std::string::npos);
}

TEST(Batch, BlocksHoldTheTextInOrder) {
  RandomGenerator random({4, 0, 0});
  for (const int64_t block : {2, 5, 64}) {
    std::vector<EncodedExample> examples;
    Ints all;
    for (int64_t row = 0; row < 40; ++row) {
      examples.push_back(example(row, static_cast<int32_t>(row) * 1000, static_cast<int32_t>(random.below(20))));
      all.insert(all.end(), examples.back().ids.begin(), examples.back().ids.end());
    }
    const auto blocks = group_texts(examples, block);
    ASSERT_EQ(blocks.size(), all.size() / static_cast<size_t>(block));
    Ints joined;
    for (size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(static_cast<int64_t>(blocks[i].ids.size()), block);
      EXPECT_EQ(blocks[i].ids.size(), blocks[i].types.size());
      EXPECT_EQ(blocks[i].ids.size(), blocks[i].special.size());
      EXPECT_EQ(blocks[i].row, static_cast<int64_t>(i));
      joined.insert(joined.end(), blocks[i].ids.begin(), blocks[i].ids.end());
    }
    all.resize(joined.size());
    EXPECT_EQ(joined, all);
  }
}

TEST(Batch, TextShorterThanABlockIsOneShortBlock) {
  const std::vector<EncodedExample> examples = {example(0, 1, 3), example(1, 5, 2)};
  const auto blocks = group_texts(examples, 128);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].ids, (Ints{1, 2, 3, 5, 6}));
  EXPECT_TRUE(group_texts({}, 128).empty());
  EXPECT_THROW(group_texts(examples, 1), UserError);
}

TEST(Batch, WordLabelsGoToTheFirstTokenOfEachWord) {
  const Ints word_ids = {-1, 0, 0, 1, 2, 2, 2, -1}, labels = {7, 8, 9};
  EXPECT_EQ(align_labels(word_ids, labels), (Ints{-100, 7, -100, 8, 9, -100, -100, -100}));
  EXPECT_EQ(align_labels(word_ids, labels, true), (Ints{-100, 7, 7, 8, 9, 9, 9, -100}));
}

}  // namespace
}  // namespace suanli
