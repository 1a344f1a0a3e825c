// Split: each row in one part, shares as asked, the same for the same seed, and no leak goes unseen.
#include "data/row_split.h"

#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/parallel.h"
#include "data/data_files.h"
#include "expect_error.h"

namespace suanli {
namespace {

class SplitFile : public testing::Test {
 protected:
  RowSplit run(const std::string& content, const RowSplitOptions& options, const std::string& name = "d.csv") {
    return split_file(folder_.write(name, content), {}, options);
  }
  static std::string table(int rows) {
    std::string csv = "text,label,user,day\n";
    for (int i = 0; i < rows; ++i) {
      csv += "text number " + std::to_string(i) + "," + (i % 10 == 0 ? "rare" : "usual") + ",u" +
             std::to_string(i / 7) + ",2024-" + (i % 2 == 0 ? "01" : "02") + "-" + (i % 28 < 9 ? "0" : "") +
             std::to_string(1 + i % 28) + "\n";
    }
    return csv;
  }

  DataFolder folder_;
};

TEST_F(SplitFile, StratifiedSharesAreExactAndTheSeedDecides) {
  RowSplitOptions options;
  options.stratify_column = "label";
  const RowSplit split = run(table(1000), options);
  EXPECT_EQ(split.rows, (std::array<int64_t, 3>{800, 100, 100}));
  std::array<int, 3> rare = {0, 0, 0};
  for (size_t row = 0; row < 1000; row += 10) ++rare[split.parts[row]];
  EXPECT_NEAR(rare[0], 80, 1);
  EXPECT_NEAR(rare[1], 10, 1);
  EXPECT_NEAR(rare[2], 10, 1);
  EXPECT_EQ(run(table(1000), options).parts, split.parts);
  const int threads = thread_count();
  set_thread_count(3);
  EXPECT_EQ(run(table(1000), options).parts, split.parts);
  set_thread_count(threads);
  options.seed = 43;
  EXPECT_NE(run(table(1000), options).parts, split.parts);
  EXPECT_FALSE(split.leaks());
}

TEST_F(SplitFile, GroupsStayTogether) {
  RowSplitOptions options;
  options.group_column = "user";
  const RowSplit split = run(table(1000), options);
  for (size_t row = 0; row < 1000; ++row) EXPECT_EQ(split.parts[row], split.parts[row / 7 * 7]) << row;
  EXPECT_NEAR(static_cast<double>(split.rows[0]), 800, 14);
  EXPECT_NEAR(static_cast<double>(split.rows[1]), 100, 7);
  EXPECT_NEAR(static_cast<double>(split.rows[2]), 100, 7);
  EXPECT_EQ(split.group_leaks, 0);
}

TEST_F(SplitFile, TimeGoesForwardAndEqualTimesStayTogether) {
  RowSplitOptions options;
  options.time_column = "day";
  options.group_column = "user";
  const RowSplit split = run(table(280), options);
  std::array<std::set<std::string>, 3> days;
  std::istringstream lines(table(280));
  std::string line;
  std::getline(lines, line);
  for (size_t row = 0; std::getline(lines, line); ++row) days[split.parts[row]].insert(line.substr(line.size() - 10));
  EXPECT_LT(*days[0].rbegin(), *days[1].begin());
  EXPECT_LT(*days[1].rbegin(), *days[2].begin());
  EXPECT_GT(split.group_leaks, 0) << "users come at all times: the column is looked at for leaks";
  EXPECT_NE(
      error_of([&] { run("text,day\na,2024-01-01\nb,soon\nc,2024-01-02\n", {.time_column = "day"}); }).find(":3]"),
      std::string::npos);
}

TEST_F(SplitFile, EqualContentInTwoPartsIsALeakAndIsNamed) {
  std::string csv = "text,label\n";
  for (int i = 0; i < 200; ++i) csv += (i % 2 == 0 ? "The  SAME," : "the same,") + std::to_string(i % 3) + "\n";
  const RowSplit split = run(csv, {});
  EXPECT_EQ(split.content_leaks, split.rows[1] + split.rows[2]);
  ASSERT_EQ(split.content_examples.size(), 5U);
  for (const Leak& leak : split.content_examples) {
    EXPECT_EQ(split.parts[static_cast<size_t>(leak.row) - 1], leak.part);
    EXPECT_EQ(split.parts[static_cast<size_t>(leak.other_row) - 1], leak.other_part);
    EXPECT_LT(leak.other_part, leak.part);
  }
}

TEST_F(SplitFile, GroupedDuplicatesDoNotLeak) {
  std::string csv = "text,label\n";
  for (int i = 0; i < 300; ++i) csv += "text " + std::to_string(i / 3) + ",a\n";
  EXPECT_GT(run(csv, {}).content_leaks, 0);
  RowSplitOptions options;
  options.group_duplicates = true;
  const RowSplit split = run(csv, options);
  EXPECT_EQ(split.content_leaks, 0);
  EXPECT_NEAR(static_cast<double>(split.rows[0]), 240, 3);
}

TEST_F(SplitFile, ThePartsHoldEveryRowOnceInOrderInTheFormatOfTheFile) {
  for (const char* name : {"d.csv", "d.jsonl"}) {
    std::string content = name == std::string("d.csv") ? "text,n\n" : "";
    const std::string header = content;
    std::vector<std::string> lines;
    for (int i = 0; i < 60; ++i) {
      lines.push_back(name == std::string("d.csv") ? "\"a, " + std::to_string(i) + "\"," + std::to_string(i) + "\n"
                                                   : "{\"text\": \"t" + std::to_string(i) + "\"}\n");
      content += lines.back();
    }
    const RowSplit split = run(content, {}, name);
    std::filesystem::create_directories(folder_ / "out");
    write_parts(folder_ / name, {}, split, folder_ / "out");
    const std::string extension = std::filesystem::path(name).extension();
    for (uint8_t part = 0; part < 3; ++part) {
      std::string expected = header;
      for (size_t i = 0; i < lines.size(); ++i) expected += split.parts[i] == part ? lines[i] : "";
      EXPECT_EQ(folder_.read("out/" + (kPartNames[part] + extension)), expected);
    }
  }
}

TEST_F(SplitFile, WhatCannotBeSplitIsSaid) {
  const auto message = [&](RowSplitOptions options, const std::string& csv) {
    return error_of([&] { run(csv, options); });
  };
  const std::string ten = table(10);
  EXPECT_NE(message({.ratios = {0.5, 0.5, 0.5}}, ten).find("sum to 1"), std::string::npos);
  EXPECT_NE(message({.ratios = {0, 0.5, 0.5}}, ten).find("above 0"), std::string::npos);
  EXPECT_NE(message({}, table(3)).find("too few"), std::string::npos);
  EXPECT_NE(message({}, "a,b\n").find("no row"), std::string::npos);
  EXPECT_NE(message({.stratify_column = "lable"}, ten).find("did you mean \"label\""), std::string::npos);
  EXPECT_NE(message({.stratify_column = "label", .group_column = "user"}, ten).find("different ways"),
            std::string::npos);
  EXPECT_NE(message({.group_column = "b"}, "a,b\n1,x\n2,\n3,x\n").find(":3]"), std::string::npos);
}

}  // namespace
}  // namespace suanli
