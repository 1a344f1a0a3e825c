// Clean: each row is kept or rejected with its reason, nothing is lost, and what stays is as it was but for repairs.
#include "data/clean.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "base/parallel.h"
#include "data/data_files.h"
#include "expect_error.h"

namespace suanli {
namespace {

class Clean : public testing::Test {
 protected:
  CleanReport run(const std::string& name, const std::string& content, const CleanOptions& options,
                  OnBadRow on_bad_row = OnBadRow::error) {
    RowOptions format;
    format.on_bad_row = on_bad_row;
    const auto file = folder_.write(name, content);
    const CleanReport report = clean(file, format, options, folder_ / "kept", folder_ / "rejected");
    EXPECT_EQ(to_json(clean(file, format, options, "", "")), to_json(report)) << "a dry run counts the same";
    int64_t rejected = 0;
    for (const auto& [reason, rows] : report.rejected) rejected += rows;
    EXPECT_EQ(report.kept + rejected, report.rows);
    rejected_.clear();
    std::istringstream lines(folder_.read("rejected"));
    for (std::string line; std::getline(lines, line);) rejected_.push_back(Json::parse(line));
    EXPECT_EQ(static_cast<int64_t>(rejected_.size()), rejected);
    return report;
  }
  std::string kept() const { return folder_.read("kept"); }

  DataFolder folder_;
  std::vector<Json> rejected_;
};

TEST_F(Clean, ACleanFileComesOutAsItWentIn) {
  const std::string csv = "text,label\n\"a, \"\"b\"\"\",x\n\"two\nlines\",y\n,z\n";
  EXPECT_EQ(run("d.csv", csv, {}).kept, 3);
  EXPECT_EQ(kept(), csv);
  const std::string jsonl = "{\"z\": 1.50, \"a\": [1, 2], \"t\":\"\\u00e9\"}\n{\"a\": null}\n";
  EXPECT_EQ(run("d.jsonl", jsonl, {}).kept, 2);
  EXPECT_EQ(kept(), jsonl);
  run("d.txt", "one\n\ntwo\n", {});
  EXPECT_EQ(kept(), "one\ntwo\n");
  run("d.tsv", "a\tb\n\"1\t2\n", {});
  EXPECT_EQ(kept(), "a\tb\n\"1\t2\n");
}

TEST_F(Clean, RepairsInEveryFormat) {
  const CleanReport csv = run("d.csv", "t,n\ncaf\xE9,1\ncafÃ©!,2\nx\x01y,3\n", {});
  EXPECT_EQ(kept(), "t,n\ncafé,1\ncafé!,2\nxy,3\n");
  EXPECT_EQ(csv.repaired.at("bytes_not_utf8"), 1);
  EXPECT_EQ(csv.repaired.at("mojibake"), 1);
  EXPECT_EQ(csv.repaired.at("control_characters"), 1);
  run("d.jsonl", "{\"t\": \"caf\xE9\"}\n{\"n\": 7, \"t\": \"cafÃ©!\"}\n", {});
  EXPECT_EQ(kept(), "{\"t\": \"café\"}\n{\"n\":7,\"t\":\"café!\"}\n");
  CleanOptions as_it_is;
  as_it_is.repair = false;
  EXPECT_NE(error_of([&] { run("d.csv", "t\ncaf\xE9\n", as_it_is); }).find("UTF-8"), std::string::npos);
}

TEST_F(Clean, DuplicatesAreToldByContentAndTheFirstStays) {
  CleanOptions options;
  options.label_column = "label";
  const CleanReport report = run("d.csv", "text,label\nGood  film,a\nbad,b\ngood film ,b\nBAD,b\nother,a\n", options);
  EXPECT_EQ(kept(), "text,label\nGood  film,a\nbad,b\nother,a\n");
  EXPECT_EQ(report.rejected.at("duplicate"), 2);
  EXPECT_EQ(rejected_[0]["detail"], "of row 1");
  EXPECT_EQ(rejected_[0]["row"], 3);
  EXPECT_EQ(rejected_[0]["line"], 4);
  EXPECT_EQ(rejected_[1]["cells"]["text"], "BAD");
}

TEST_F(Clean, ARejectedRowIsNobodysOriginal) {
  CleanOptions options;
  options.label_column = "label";
  options.allowed_labels = {"a"};
  run("d.csv", "text,label\nsame,wrong\nsame,a\n", options);
  EXPECT_EQ(kept(), "text,label\nsame,a\n");
}

TEST_F(Clean, NearDuplicates) {
  std::string base;
  for (int i = 0; i < 60; ++i) base += "word" + std::to_string(i) + " ";
  CleanOptions options;
  options.near_duplicate_threshold = 0.8;
  options.near_duplicate_words = 1;
  const CleanReport report = run("d.txt", base + "\nsomething else\n" + base + "changed\n" + base + "\n", options);
  EXPECT_EQ(report.rejected.at("near_duplicate"), 1);
  EXPECT_EQ(report.rejected.at("duplicate"), 1);
  EXPECT_EQ(report.kept, 2);
}

TEST_F(Clean, LengthsScriptsLabels) {
  CleanOptions options;
  options.label_column = "label";
  options.allowed_labels = {"a", "b"};
  options.min_words = 2;
  options.max_characters = 20;
  options.scripts = {"latin"};
  run("d.csv", "text,label\ngood film,a\nshort,a\nthis one is far too long for it,a\nплохой фильм,b\ngood film 2,c\n",
      options);
  std::vector<std::string> reasons;
  for (const Json& row : rejected_) reasons.push_back(row["reason"]);
  EXPECT_EQ(reasons, (std::vector<std::string>{"too_short", "too_long", "other_script", "label_not_allowed"}));
  EXPECT_EQ(kept(), "text,label\ngood film,a\n");
}

TEST_F(Clean, MissingCellsAreDroppedOrFilled) {
  const std::string csv = "x,c\n1,a\n,b\n3,\n8,d\n";
  CleanOptions options;
  options.missing = MissingRule::drop;
  EXPECT_EQ(run("d.csv", csv, options).rejected.at("missing_cell"), 2);
  options.missing = MissingRule::median;
  EXPECT_EQ(run("d.csv", csv, options).filled, 1);
  EXPECT_EQ(kept(), "x,c\n1,a\n3,b\n3,\n8,d\n");
  options.missing = MissingRule::constant;
  options.missing_value = "0";
  run("d.csv", csv, options);
  EXPECT_EQ(kept(), "x,c\n1,a\n0,b\n3,0\n8,d\n");
  run("d.jsonl", "{\"c\": \"a\", \"x\": 1}\n{\"c\": \"b\", \"x\": null}\n", options);
  EXPECT_EQ(kept(), "{\"c\": \"a\", \"x\": 1}\n{\"c\":\"b\",\"x\":0}\n") << "a number among numbers";
  options.missing = MissingRule::median;
  options.missing_columns = {"c"};
  EXPECT_NE(error_of([&] { run("d.csv", csv, options); }).find("no numbers"), std::string::npos);
}

TEST_F(Clean, OutliersByBothRules) {
  std::string csv = "x,same\n";
  for (int i = 0; i <= 100; ++i) csv += std::to_string(i) + ",5\n";
  CleanOptions options;
  // Median 50, MAD 25: z = 0.6745 (x - 50) / 25 passes 3.5 at x = 179.7. Quartiles 25 and 75 with the two rows more: 3
  // ranges above the upper one is about 227. The column of equal numbers has no scale and so no outliers.
  options.exact_duplicates = false;
  options.outliers = OutlierRule::robust_z;
  EXPECT_EQ(run("d.csv", csv + "175,5\n200,9\n", options).rejected.at("outlier"), 1);
  EXPECT_EQ(rejected_[0]["cells"]["x"], "200");
  options.outliers = OutlierRule::iqr;
  EXPECT_TRUE(run("d.csv", csv + "175,5\n200,9\n", options).rejected.empty());
  EXPECT_EQ(run("d.csv", csv + "175,5\n260,9\n", options).rejected.at("outlier"), 1);
}

TEST_F(Clean, LabelsThatThePredictionsContradict) {
  // Means of the own class: a (0.9 + 0.8 + 0.1 + 0.45) / 4 = 0.5625, b (0.9 + 0.7) / 2 = 0.8. Row 3 is an a whose b is
  // 0.9; the last row's b, though above its a, stays below 0.8.
  const auto predictions =
      folder_.write("p.jsonl",
                    "{\"a\": 0.9, \"b\": 0.1}\n{\"a\": 0.8, \"b\": 0.2}\n{\"a\": 0.1, \"b\": 0.9}\n"
                    "{\"a\": 0.1, \"b\": 0.9}\n{\"a\": 0.3, \"b\": 0.7}\n{\"a\": 0.45, \"b\": 0.55}\n");
  CleanOptions options;
  options.label_column = "label";
  options.predictions = predictions;
  const std::string csv = "text,label\nr1,a\nr2,a\nr3,a\nr4,b\nr5,b\nr6,a\n";
  EXPECT_EQ(run("d.csv", csv, options).rejected.at("suspected_label"), 1);
  EXPECT_EQ(rejected_[0]["row"], 3);
  EXPECT_NE(error_of([&] { run("d.csv", csv + "r7,a\n", options); }).find("ends before row 7"), std::string::npos);
  EXPECT_NE(error_of([&] { run("d.csv", "text,label\nr1,a\n", options); }).find("more lines"), std::string::npos);
}

TEST_F(Clean, BadRowsEndItOrAreRejected) {
  const std::string csv = "a,b\n1,2\n3\n4,5\n";
  EXPECT_NE(error_of([&] { run("d.csv", csv, {}); }).find(":3]"), std::string::npos);
  const CleanReport report = run("d.csv", csv, {}, OnBadRow::skip);
  EXPECT_EQ(report.rejected.at("bad_row"), 1);
  EXPECT_EQ(rejected_[0]["cells"]["a"], "3");
  EXPECT_EQ(kept(), "a,b\n1,2\n4,5\n");
}

TEST_F(Clean, TheSameWithOneAndThreeThreads) {
  std::string csv = "text,x,label\n";
  for (int row = 0; row < 9000; ++row) {
    csv += concat("w", row % 4000, " and W", row % 7, ",", row % 50, ",a\n");
  }
  CleanOptions options;
  options.near_duplicate_threshold = 0.5;
  options.near_duplicate_words = 1;
  options.outliers = OutlierRule::iqr;
  const int threads = thread_count();
  set_thread_count(1);
  run("d.csv", csv, options);
  const std::string one = kept(), one_rejected = folder_.read("rejected");
  set_thread_count(3);
  run("d.csv", csv, options);
  set_thread_count(threads);
  EXPECT_EQ(kept(), one);
  EXPECT_EQ(folder_.read("rejected"), one_rejected);
}

TEST_F(Clean, AFileIsNeverItsOwnResultAndAFailureLeavesNothing) {
  const auto file = folder_.write("d.csv", "a\n1\n");
  RowOptions format;
  EXPECT_NE(error_of([&] { clean(file, format, {}, file, folder_ / "r"); }).find("is read"), std::string::npos);
  EXPECT_EQ(folder_.read("d.csv"), "a\n1\n");
  EXPECT_THROW(clean("-", format, {}, "", ""), UserError);
  folder_.write("bad.csv", "a\n1\n2,3\n");
  EXPECT_THROW(clean(folder_ / "bad.csv", format, {}, folder_ / "k2", folder_ / "r2"), UserError);
  int64_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "")) {
    files += entry.path().filename().string().starts_with("k2") || entry.path().filename().string().starts_with("r2");
  }
  EXPECT_EQ(files, 0);
}

}  // namespace
}  // namespace suanli
