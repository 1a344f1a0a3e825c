// Runs over tables from files to files: they learn, what is saved answers as what was trained, and bad input is named.
#include "train/tabular.h"

#include <cmath>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "quiet_run.h"
#include "tiny_run.h"
#include "train/table_data.h"

namespace suanli {
namespace {

/// Rows of two numbers, a category of few values, one of many, and a label that follows from all of them.
std::string table(int rows, uint32_t site, bool regression = false) {
  RandomGenerator random({11, 0, site});
  std::string csv = "x,y,colour,city,label\n";
  for (int i = 0; i < rows; ++i) {
    const double x = random.next_normal(), y = random.next_normal();
    const auto colour = random.below(3), city = random.below(25);
    const double z = 2 * x - y + (colour == 1 ? 2.0 : -1.0) + (city % 2 == 0 ? 1.0 : -1.0);
    csv += std::to_string(x) + ',' + (i % 50 == 7 ? "NA" : std::to_string(y)) + ",c" + std::to_string(colour) +
           ",city" + std::to_string(city) + ',' +
           (regression ? std::to_string(100 + 10 * z)
            : z > 1    ? "yes"
                       : "no") +
           '\n';
  }
  return csv;
}

class TabularRun : public testing::Test {
 protected:
  TabularRun() : folder_(fresh_folder("tabular")) {
    write("train.csv", table(600, 1));
    write("test.csv", table(300, 2));
  }
  void write(const std::string& name, const std::string& text) const { write_file_atomically(folder_ / name, text); }
  int run(std::vector<std::string> words, int (*verb)(const Config&) = run_training) const {
    words.insert(words.begin(),
                 {"output_dir=" + (folder_ / "out").string(), "save_strategy=no", "per_device_train_batch_size=32",
                  "per_device_eval_batch_size=64", "learning_rate=0.01", "label_column_name=label"});
    return quiet_run(words, verb);
  }
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"task=tabular-classification", "train_file=" + (folder_ / "train.csv").string(),
                 "validation_file=" + (folder_ / "test.csv").string(), "num_train_epochs=8", "hidden_sizes=16"});
    return more;
  }
  Json results(const char* name) const { return read_json(folder_ / "out" / name); }

  const std::filesystem::path folder_;
};

TEST_F(TabularRun, LearnsFromNumbersAndCategoriesAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(run(training({"threshold=f1"})), 0);
  const Json trained = results("eval_results.json");
  // The label follows from the row up to the missing cells, 2% of them: a model that saw only the numbers stays at 0.9.
  EXPECT_GT(trained["eval_roc_auc"].get<double>(), 0.97);
  EXPECT_LT(trained["eval_brier"].get<double>(), 0.08);
  const Json config = results("config.json");
  EXPECT_EQ(config["threshold"], trained["eval_threshold"]);
  EXPECT_NE(config["threshold"], 0.5);
  EXPECT_EQ(config["category_sizes"], Json::array({26})) << "25 cities and the unknown one; three colours are one-hot";
  ASSERT_EQ(
      run({"model_name_or_path=" + (folder_ / "out").string(), "validation_file=" + (folder_ / "test.csv").string()},
          run_evaluation),
      0);
  // The same weights, by the products of inference: f32 sums in another order.
  const Json again = results("eval_results.json");
  for (const char* key : {"eval_loss", "eval_f1", "eval_ks", "eval_threshold"}) {
    EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-5) << key;
  }
}

TEST_F(TabularRun, ARegressionIsInTheUnitOfItsData) {
  write("train.csv", table(600, 1, true));
  write("test.csv", table(300, 2, true));
  ASSERT_EQ(run(training({"task=tabular-regression", "num_train_epochs=20"})), 0);
  const Json scores = results("eval_results.json");
  EXPECT_GT(scores["eval_r2"].get<double>(), 0.95);
  EXPECT_LT(scores["eval_mae"].get<double>(), 6);  // the targets have a deviation of 28
  EXPECT_GT(scores["eval_mae"].get<double>(), 0.1);
}

TEST_F(TabularRun, ThePartsOfOneFileAreDisjointAndTheEncoderSeesTheTrainingPartAlone) {
  TrainArguments arguments;
  arguments.train_file = (folder_ / "train.csv").string();
  arguments.do_train = arguments.do_eval = true;
  arguments.validation_split = 0.25;
  const TableParts parts = table_parts(arguments, "label", false);
  std::set<int64_t> seen;
  size_t rows[2] = {0, 0};
  for (const auto* part : {&parts.train, &parts.validation}) {
    const auto reader = open_part(*part);
    Row row;
    while (reader->next(&row)) {
      EXPECT_TRUE(seen.insert(row.number).second) << row.number;
      ++rows[part == &parts.validation ? 1 : 0];
    }
  }
  EXPECT_EQ(rows[0], 450U);
  EXPECT_EQ(rows[1], 150U);
}

TEST_F(TabularRun, BalancedWeightsMakeEachClassCountAlike) {
  Dataset data;
  for (const float label : {0.0F, 1.0F, 1.0F, 1.0F}) data.rows.emplace_back().targets = {label};
  EXPECT_EQ(balanced_weights(data, 3), (std::vector<float>{4.0F / 3, 4.0F / 9, 0}));
  ASSERT_EQ(run(training({"class_weight=balanced", "focal_loss_gamma=2", "hidden_sizes=0"})), 0);
  EXPECT_GT(results("eval_results.json")["eval_roc_auc"].get<double>(), 0.9);
}

TEST_F(TabularRun, BadInputIsOneMessageWithItsPlace) {
  ASSERT_EQ(run(training({"num_train_epochs=1"})), 0);
  const auto message = [&](const std::string& csv) {
    write("bad.csv", csv);
    return error_of([&] {
      run({"model_name_or_path=" + (folder_ / "out").string(), "validation_file=" + (folder_ / "bad.csv").string()},
          run_evaluation);
    });
  };
  EXPECT_NE(message("x,colour,city,label\n1,c1,city2,no\n").find("no column \"y\""), std::string::npos);
  EXPECT_NE(message("x,y,colour,city,label\n1,2,c1,city2,maybe\n").find("bad.csv:2] label \"maybe\" is none of the 2"),
            std::string::npos);
  EXPECT_NE(message("x,y,colour,city,label\n1,2,c1,city2,\n").find("bad.csv:2] the label (column label) is missing"),
            std::string::npos);
  EXPECT_NE(
      message("x,y,colour,city,label\n1,two,c1,city2,no\n").find("column y: expected a finite number, got \"two\""),
      std::string::npos);
  EXPECT_NE(message("").find("empty"), std::string::npos);
  EXPECT_NE(message("x,y,colour,city,label\n").find("no row of data"), std::string::npos);
  const auto refusal = [&](const std::string& word) { return error_of([&] { run(training({word})); }); };
  EXPECT_NE(refusal("column_encodings=x=magic").find("column x: expected none, standardize"), std::string::npos);
  EXPECT_NE(refusal("column_encodings=z=log").find("no column \"z\""), std::string::npos);
  EXPECT_NE(refusal("hidden_sizes=a").find("hidden_sizes"), std::string::npos);
  EXPECT_NE(refusal("label_column_name=x").find("is none of the 600 labels"), std::string::npos);
}

}  // namespace
}  // namespace suanli
