/// Tables and series from the command line: what was trained answers, a page is written, mistakes are one message.
#include <cmath>

#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

/// Two numbers and a colour; the label is "yes" where x is above y, red adding one.
std::string rows_csv(int rows) {
  std::string csv = "x,y,colour,label\n";
  for (int i = 0; i < rows; ++i) {
    const double x = std::sin(i * 1.7), y = std::cos(i * 2.3);
    const bool red = i % 3 == 0;
    csv += std::to_string(x) + ',' + std::to_string(y) + ',' + (red ? "red" : "blue") + ',' +
           (x + (red ? 1 : 0) > y ? "yes" : "no") + '\n';
  }
  return csv;
}

/// The folder of a table model, trained once.
const fs::path& table_run() {
  static const fs::path folder = [] {
    const fs::path made = scratch("table_model");
    write(made / "rows.csv", rows_csv(400));
    const ProgramRun run = suanli(
        "train --task tabular-classification --validation_split 0.25 --learning_rate 0.02 "
        "--num_train_epochs 20 --hidden_sizes 16 --save_strategy no --per_device_train_batch_size "
        "32 --logging_steps 20 --train_file " +
        (made / "rows.csv").string() + " --output_dir " + (made / "out").string());
    EXPECT_EQ(run.code, 0) << run.err;
    return made / "out";
  }();
  return folder;
}

ProgramRun predict(const std::string& input, const std::string& more = "") {
  return suanli("predict --model " + table_run().string() + more, input);
}

TEST(TableModel, AnswersRowsOfCsvAndJsonLinesAlikeWhateverTheOrderOfTheirColumns) {
  const ProgramRun csv = predict("colour,y,x\nred,-0.9,0.9\nblue,0.9,-0.9\n");
  ASSERT_EQ(csv.code, 0) << csv.err;
  EXPECT_EQ(csv.out.rfind("{\"label\": \"yes\", \"score\": ", 0), 0U) << csv.out;
  EXPECT_NE(csv.out.find("\n{\"label\": \"no\", \"score\": "), std::string::npos) << csv.out;
  const ProgramRun json = predict(
      "{\"x\": 0.9, \"y\": -0.9, \"colour\": \"red\", \"more\": 1}\n"
      "{\"x\": -0.9, \"y\": 0.9, \"colour\": \"blue\"}\n");
  EXPECT_EQ(json.out, csv.out) << json.err;
}

TEST(TableModel, AMissingCellIsAnsweredAMissingColumnIsNot) {
  EXPECT_EQ(predict("x,y,colour\n,0.5,green\n").code, 0) << "median, and the unknown category";
  const ProgramRun gone = predict("x,colour\n1,red\n");
  EXPECT_EQ(gone.code, 2);
  EXPECT_NE(gone.err.find("\"y\""), std::string::npos) << gone.err;
  const ProgramRun words = predict("x,y,colour\n1,two,red\n");
  EXPECT_EQ(words.code, 2);
  EXPECT_NE(words.err.find(":2"), std::string::npos) << words.err;
  EXPECT_EQ(predict("x,y,colour\n1,2,red\n", " --precision int8").code, 2);
}

TEST(ReportVerb, WritesThePageOfARunAndRefusesAnotherFolder) {
  const ProgramRun run = suanli("report " + table_run().string());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, (table_run() / "report.html").string() + "\n");
  const std::string page = read(table_run() / "report.html");
  for (const char* part : {"<h2>Training</h2>", "<td>roc_auc</td>", "Confusions", "ROC", "Calibration", "</html>"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page.find("class=\"alert\""), std::string::npos);
  const fs::path other = scratch("report_elsewhere") / "page.html";
  EXPECT_EQ(suanli("report " + table_run().string() + " --output " + other.string()).code, 0);
  EXPECT_EQ(read(other), page);
  EXPECT_EQ(suanli("report " + scratch("no_run").string()).code, 2);
  EXPECT_EQ(suanli("report").code, 2);
}

TEST(ForecastModel, GivesWhatFollowsTheEndOfTheFile) {
  const fs::path folder = scratch("forecast_model");
  std::string csv = "t,level\n";
  for (int t = 0; t < 240; ++t)
    csv += std::to_string(t) + ',' + std::to_string(50 + 10 * std::sin(t * M_PI / 6)) + '\n';
  write(folder / "series.csv", csv);
  const ProgramRun run = suanli(
      "train --task forecasting --label_column_name level --context_length 24 --prediction_length "
      "3 --seasonality 12 --learning_rate 0.01 --num_train_epochs 20 --save_strategy no "
      "--train_file " +
      (folder / "series.csv").string() + " --output_dir " + (folder / "out").string());
  ASSERT_EQ(run.code, 0) << run.err;
  const ProgramRun answer = suanli("predict --model " + (folder / "out").string(), csv);
  ASSERT_EQ(answer.code, 0) << answer.err;
  size_t begin = 0;
  for (int step = 1; step <= 3; ++step) {
    const size_t end = answer.out.find('\n', begin);
    const Json line = Json::parse(answer.out.substr(begin, end - begin));
    begin = end + 1;
    EXPECT_EQ(line["step"], step);
    // The series is exactly periodic, which a linear forecast can be; a tenth of its amplitude is far below the naive
    // last value's error.
    EXPECT_NEAR(line["value"].get<double>(), 50 + 10 * std::sin((239 + step) * M_PI / 6), 1);
  }
  EXPECT_EQ(begin, answer.out.size());
  const ProgramRun brief = suanli("predict --model " + (folder / "out").string(), "level\n1\n2\n");
  EXPECT_EQ(brief.code, 2);
  EXPECT_NE(brief.err.find("24"), std::string::npos) << brief.err;
}

}  // namespace
}  // namespace suanli::e2e
