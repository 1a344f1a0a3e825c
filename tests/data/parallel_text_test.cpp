// Line n of one file is the partner of line n of the other, or an error says where they part.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/data_files.h"
#include "data/reader.h"
#include "expect_error.h"

namespace suanli {
namespace {

class ParallelText : public testing::Test {
 protected:
  std::vector<Example> pairs(const std::string& english, const std::string& japanese) {
    folder_.write("t.ja", japanese);
    ReaderOptions options;
    options.text_pair_extension = "ja";
    return read_examples(folder_.write("t.en", english), options);
  }
  std::string message(const std::string& english, const std::string& japanese) {
    return error_of([&] { pairs(english, japanese); });
  }
  DataFolder folder_;
};

TEST_F(ParallelText, LinesArePairedAlsoBehindBlankOnes) {
  const auto all = pairs("I run .\n\nYou run .\r\n", "走る 。\n \nあなた は 走る 。");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text, "I run .");
  EXPECT_EQ(all[0].text_pair, "走る 。");
  EXPECT_TRUE(all[1].has_pair);
  EXPECT_EQ(all[1].text, "You run .");
  EXPECT_EQ(all[1].text_pair, "あなた は 走る 。");
  EXPECT_EQ(all[1].line, 3);
}

TEST_F(ParallelText, FilesThatPartAreRefused) {
  EXPECT_NE(message("a\nb\n", "x\n").find("t.ja] ends before line 2"), std::string::npos);
  EXPECT_NE(message("a\n", "x\ny\n").find("t.en] ends before line 2"), std::string::npos);
  EXPECT_NE(message("a\n\nb\n", "x\ny\nz\n").find("t.en:2] the line is blank"), std::string::npos);
  EXPECT_NE(message("a\n", "\xFF\n").find("t.ja:1] the line is not valid UTF-8"), std::string::npos);
  EXPECT_NE(message("", "").find("no example"), std::string::npos);
}

TEST_F(ParallelText, TheSecondFileMustBeAnotherOneThatIsThere) {
  ReaderOptions options;
  options.text_pair_extension = "de";
  const auto file = folder_.write("t.en", "a\n");
  EXPECT_NE(error_of([&] { read_examples(file, options); }).find("t.de] no such file"), std::string::npos);
  options.text_pair_extension = "en";
  EXPECT_NE(error_of([&] { read_examples(file, options); }).find("names the file itself"), std::string::npos);
}

}  // namespace
}  // namespace suanli
