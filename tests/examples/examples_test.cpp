/// The two programs that every newcomer knows run as their files say, on real text where they need it.
/// Needs SUANLI_MODEL (scripts/fetch_model.sh) and SUANLI_TEXT (scripts/fetch_text.sh).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "base/json.h"
#include "e2e/program.h"
#include "formats/safetensors.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " must name a folder");
  return value;
}

/// Runs a program through the shell; its standard output. Fails the test when the exit code is not 0.
std::string output_of(const std::string& command) {
  const fs::path out = scratch("examples") / "out";
  EXPECT_EQ(std::system((command + " >" + out.string()).c_str()), 0) << command;
  return read(out);
}

/// The numbers that follow `pattern` (one group) in a text, in order.
std::vector<double> numbers_after(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern + R"(([-+0-9.e]+))");
  std::vector<double> numbers;
  for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at) {
    numbers.push_back(std::stod((*at)[1]));
  }
  return numbers;
}

TEST(Examples, LinearRegressionFindsTheLineAndSavesIt) {
  const fs::path file = scratch("examples") / "line.safetensors";
  const std::string text = output_of(std::string(LINEAR_REGRESSION) + " " + file.string());
  const auto losses = numbers_after(text, "loss "), weight = numbers_after(text, R"(linear\.weight = )"),
             bias = numbers_after(text, R"(linear\.bias = )");
  ASSERT_EQ(losses.size(), 10U) << text;
  EXPECT_LT(losses.back(), 0.015) << "the noise alone is 0.01";
  ASSERT_EQ(weight.size(), 1U);
  ASSERT_EQ(bias.size(), 1U);
  // 100 points, noise 0.1: the standard errors are 0.1 / sqrt(100 / 3) = 0.017 and 0.01; four of them.
  EXPECT_NEAR(weight[0], 2, 0.07);
  EXPECT_NEAR(bias[0], 1, 0.04);
  const auto saved = SafetensorsFile::open(file);
  EXPECT_NEAR(saved.tensor("linear.weight").host<float>()[0], weight[0], 1e-4);
  EXPECT_NEAR(saved.tensor("linear.bias").host<float>()[0], bias[0], 1e-4);
}

/// `count` sentences of a CSV file of scripts/fetch_text.sh, one a line.
fs::path lines_of_text(const std::string& csv, const std::string& name, int count) {
  std::ifstream in(fs::path(required("SUANLI_TEXT")) / csv);
  const fs::path file = scratch("examples") / name;
  std::ofstream out(file);
  std::string line;
  std::getline(in, line);
  for (; count > 0 && std::getline(in, line); --count) out << line.substr(1, line.rfind("\",") - 1) << "\n";
  EXPECT_EQ(count, 0) << csv << " has too few lines";
  return file;
}

TEST(Examples, BertMaskedLmLearnsAndItsTwinInCppLearnsTheSame) {
  const std::string model = required("SUANLI_MODEL"), folder = scratch("examples").string();
  const std::string train = lines_of_text("film_train.csv", "train.txt", 160).string();
  const std::string validation = lines_of_text("film_validation.csv", "validation.txt", 60).string();

  const fs::path yaml = fs::path(SUANLI_TESTS_DIR) / "../examples/bert_mlm.yaml";
  const ProgramRun run =
      suanli("train --config " + yaml.string() + " --model_name_or_path " + model + " --train_file " + train +
             " --validation_file " + validation + " --output_dir " + folder + "/mlm");
  ASSERT_EQ(run.code, 0) << run.err;
  std::vector<double> losses, accuracies;
  std::ifstream metrics(folder + "/mlm/metrics.jsonl");
  for (std::string line; std::getline(metrics, line);) {
    const Json entry = Json::parse(line);
    if (!entry.contains("eval_loss")) continue;
    losses.push_back(entry["eval_loss"]);
    accuracies.push_back(entry["eval_accuracy"]);
  }
  ASSERT_GE(losses.size(), 5U) << "one evaluation an epoch";
  EXPECT_LT(losses[0], 9) << "a new head starts at ln(30522) = 10.3 or above";
  EXPECT_LT(losses[4], losses[0] - 0.2);
  EXPECT_GT(accuracies[4], 0.02) << "chance is 0.00003";

  const std::string twin =
      output_of(std::string(BERT_MLM) + " " + model + " " + train + " " + validation + " " + folder + "/twin");
  const auto twin_losses = numbers_after(twin, "epoch [0-9]+ +loss ");
  ASSERT_EQ(twin_losses.size(), 5U) << twin;
  for (size_t epoch = 0; epoch < 5; ++epoch) {
    EXPECT_NEAR(twin_losses[epoch], losses[epoch], 1e-4)
        << "epoch " << epoch + 1 << ": the same run, four digits shown";
  }
  EXPECT_TRUE(fs::exists(folder + "/twin/model.safetensors"));
}

}  // namespace
}  // namespace suanli::e2e
