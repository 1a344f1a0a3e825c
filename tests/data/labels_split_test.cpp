// Label ids are those of Hugging Face; a split takes each row once, each class by its share, and never changes.
#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/example.h"
#include "data/split.h"
#include "expect_error.h"

namespace suanli {
namespace {

using Words = std::vector<std::string>;

std::vector<Example> labelled(const Words& labels) {
  std::vector<Example> examples(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) examples[i].labels = {labels[i]};
  return examples;
}

TEST(LabelTable, NamesAreSortedNumbersAsNumbers) {
  EXPECT_EQ(LabelTable::from_examples(labelled({"b", "a", "c", "a", "B"})).names(), (Words{"B", "a", "b", "c"}));
  EXPECT_EQ(LabelTable::from_examples(labelled({"10", "9", "-1", "2"})).names(), (Words{"-1", "2", "9", "10"}));
  EXPECT_EQ(LabelTable::from_examples(labelled({"10", "9", "x"})).names(), (Words{"10", "9", "x"}));
  EXPECT_EQ(LabelTable::from_examples(labelled({"é", "z", "北", "😀", "a"})).names(), (Words{"a", "z", "é", "北", "😀"}));
}

TEST(LabelTable, IdsFollowTheOrderOfTheNames) {
  const LabelTable table = LabelTable::from_names({"POSITIVE", "NEGATIVE"});
  EXPECT_EQ(table.id("POSITIVE", "x"), 0);
  EXPECT_EQ(table.id("NEGATIVE", "x"), 1);
  EXPECT_EQ(table.find("neutral"), -1);
  EXPECT_EQ(error_of([&] { table.id("POSITVE", "d.csv:3"); }),
            "[d.csv:3] label \"POSITVE\" is none of the 2 labels of the training data; did you mean \"POSITIVE\"?");
  EXPECT_THROW(LabelTable::from_names({"a", "b", "a"}), UserError);
  EXPECT_THROW(LabelTable::from_examples({}), UserError);
}

std::vector<int64_t> classes_of(int64_t rows, int64_t classes) {
  std::vector<int64_t> strata(static_cast<size_t>(rows));
  // Unequal classes: class c is c + 1 times as frequent as class 0.
  const int64_t total = classes * (classes + 1) / 2;
  for (int64_t i = 0; i < rows; ++i) {
    int64_t at = i % total, c = 0;
    while (at > c) at -= ++c;
    strata[static_cast<size_t>(i)] = c;
  }
  return strata;
}

TEST(Split, EachRowIsInExactlyOnePart) {
  for (const int64_t rows : {1, 2, 10, 997}) {
    const Split split = split_rows(classes_of(rows, 3), {0.2, 0.1}, 42);
    std::vector<int64_t> all = split.train;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    all.insert(all.end(), split.test.begin(), split.test.end());
    std::sort(all.begin(), all.end());
    std::vector<int64_t> expected(static_cast<size_t>(rows));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
    EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  }
}

TEST(Split, EachClassGivesItsShareToWithinOneRow) {
  const auto strata = classes_of(1000, 5);
  std::map<int64_t, double> total;
  for (const int64_t c : strata) ++total[c];
  const Split split = split_rows(strata, {0.15, 0.1}, 7);
  EXPECT_EQ(split.test.size(), 100u);
  EXPECT_EQ(split.validation.size(), 150u);
  for (const auto& [part, fraction] : {std::pair{split.validation, 0.15}, std::pair{split.test, 0.1}}) {
    std::map<int64_t, double> count;
    for (const int64_t row : part) ++count[strata[static_cast<size_t>(row)]];
    // One row from the share itself; the validation rows are taken of what the test rows left, which adds a part of
    // one.
    for (const auto& [c, n] : total) EXPECT_LT(std::abs(count[c] - n * fraction), 1.2) << "class " << c;
  }
}

TEST(Split, ASeedAlwaysGivesTheSameRowsAnotherSeedOthers) {
  const auto strata = classes_of(500, 2);
  EXPECT_EQ(split_rows(strata, {0.1, 0.1}, 1).test, split_rows(strata, {0.1, 0.1}, 1).test);
  EXPECT_NE(split_rows(strata, {0.1, 0.1}, 1).test, split_rows(strata, {0.1, 0.1}, 2).test);
  // The very rows, so that a change of the code that moves them is seen.
  const std::vector<int64_t> plain(20, 0);
  EXPECT_EQ(split_rows(plain, {0.0, 0.2}, 42).test, (std::vector<int64_t>{4, 5, 7, 19}));
}

TEST(Split, SharesThatLeaveNothingAreRefused) {
  const std::vector<int64_t> strata(10, 0);
  for (const SplitFractions fractions :
       {SplitFractions{1.0, 0.0}, {0.0, 1.0}, {0.5, 0.5}, {-0.1, 0.0}, {0.0, 1.0 / 0.0}}) {
    EXPECT_THROW(split_rows(strata, fractions, 1), UserError);
  }
  EXPECT_EQ(split_rows(strata, {0.0, 0.0}, 1).train.size(), 10u);
  EXPECT_EQ(split_rows({}, {0.1, 0.1}, 1).train.size(), 0u);
}

TEST(Split, StrataAreTheOnlyLabels) {
  EXPECT_EQ(strata_of(labelled({"b", "a", "b"})), (std::vector<int64_t>{1, 0, 1}));
  auto several = labelled({"b", "a"});
  several[0].labels.push_back("c");
  EXPECT_EQ(strata_of(several), (std::vector<int64_t>{0, 0}));
}

}  // namespace
}  // namespace suanli
