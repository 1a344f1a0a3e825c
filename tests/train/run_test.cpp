// A whole run from files to files: what is saved answers as what was trained, and every promised file is there.
#include "train/run.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "base/error.h"
#include "tiny_run.h"

namespace suanli {
namespace {

/// A folder with a bare model, a tokenizer and labelled texts.
std::filesystem::path workshop(const std::string& name) {
  initialize();
  const auto folder = fresh_folder(name);
  std::filesystem::create_directories(folder / "model");
  models::save_model(models::new_model(tiny_config(), {.head = models::Head::none, .labels = {}}), folder / "model");
  tiny_tokenizer().save(folder / "model");
  std::string lines = "text,label\n";
  for (const Example& example : tiny_examples(40, 1)) lines += example.text + "," + example.labels[0] + "\n";
  write_file_atomically(folder / "data.csv", lines);
  return folder;
}

int run(const std::filesystem::path& folder, std::vector<std::string> words, std::string* output = nullptr,
        int (*verb)(const Config&) = run_training) {
  words.insert(words.begin(), {"output_dir=" + (folder / "out").string(), "precision=f32", "disable_tqdm=true",
                               "device=" + test_device().text()});
  Config config(train_options());
  config.read_arguments(words);
  testing::internal::CaptureStdout();
  const int code = verb(config);
  const std::string text = testing::internal::GetCapturedStdout();
  if (output != nullptr) *output = text;
  return code;
}

std::vector<std::string> training(const std::filesystem::path& folder) {
  return {"task=text-classification",
          "model_name_or_path=" + (folder / "model").string(),
          "train_file=" + (folder / "data.csv").string(),
          "validation_split=0.2",
          "test_split=0.2",
          "do_predict=true",
          "num_train_epochs=2",
          "learning_rate=0.01"};
}

TEST(Run, WritesEveryResultAndTheSavedModelScoresTheSame) {
  const auto folder = workshop("run");
  ASSERT_EQ(run(folder, training(folder)), 0);
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "run_manifest.json", "trainer_state.json", "metrics.jsonl",
        "all_results.json", "train_results.json", "eval_results.json", "predict_results.json", "predict_results.txt"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / "out" / file)) << file;
  }
  const Json results = read_json(folder / "out" / "all_results.json");
  for (const char* key : {"train_loss", "train_runtime", "eval_loss", "eval_accuracy", "predict_accuracy"}) {
    EXPECT_TRUE(results.contains(key)) << key;
  }
  EXPECT_EQ(results["eval_samples"], 8.0);
  const Json manifest = read_json(folder / "out" / "run_manifest.json");
  EXPECT_EQ(manifest["inputs"]["train_file"][0]["sha256"], sha256_file(folder / "data.csv"));
  EXPECT_EQ(manifest["configuration"]["learning_rate"], 0.01);

  // Saved and loaded again by the eval verb, in-sample: the same labels, the same tokens, the same numbers.
  const std::vector<std::string> again = {"model_name_or_path=" + (folder / "out").string(),
                                          "validation_file=" + (folder / "data.csv").string()};
  ASSERT_EQ(run(folder, again, nullptr, run_evaluation), 0);
  const Json evaluated = read_json(folder / "out" / "eval_results.json");
  ASSERT_EQ(run(folder, again), 0);
  EXPECT_EQ(read_json(folder / "out" / "eval_results.json")["eval_loss"], evaluated["eval_loss"]);
}

TEST(Run, KeptRowsChangeNothingAndAnotherLengthIsEncodedAnew) {
  const auto folder = workshop("cache");
  auto words = training(folder);
  words.push_back("dataset_cache_dir=" + (folder / "cache").string());
  const auto eval_loss = [&] {
    EXPECT_EQ(run(folder, words), 0);
    return read_json(folder / "out" / "eval_results.json")["eval_loss"];
  };
  const auto files = [&] {
    std::map<std::filesystem::path, std::filesystem::file_time_type> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) {
      all[entry.path()] = entry.last_write_time();
    }
    return all;
  };
  const Json first = eval_loss();
  const auto kept = files();
  EXPECT_EQ(kept.size(), 3U) << "a file for each part";
  EXPECT_EQ(eval_loss(), first);
  EXPECT_EQ(files(), kept) << "read, not written again";
  words.emplace_back("max_seq_length=4");
  EXPECT_NE(eval_loss(), first);
  EXPECT_EQ(files().size(), 6U);
}

TEST(Run, ADryRunWritesNothing) {
  const auto folder = workshop("dry");
  auto words = training(folder);
  words.push_back("--dry-run");
  EXPECT_EQ(run(folder, words), 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST(Run, NothingToDoAndNoModelAreRefused) {
  const auto folder = workshop("refused");
  const std::string model = "model_name_or_path=" + (folder / "model").string();
  const std::string data = "validation_file=" + (folder / "data.csv").string();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"task=masked-lm", model},
                                                {"task=masked-lm", data},
                                                {model, data},
                                                {"task=text-classification", model, data}}) {
    EXPECT_THROW(run(folder, words), UserError);
    testing::internal::GetCapturedStdout();
  }
}

TEST(Run, TooManyStepsThatAreNotFiniteEndWithTheirExitCode) {
  const auto folder = workshop("not_finite");
  const models::Model model = models::new_model(tiny_config(), {.head = models::Head::none, .labels = {}});
  for (float& value : model.parameters->all()[0].value.host<float>()) value = NAN;
  models::save_model(model, folder / "model");
  auto words = training(folder);
  words.push_back("max_nan_steps=2");
  EXPECT_EQ(run(folder, words), kNotFiniteExitCode);
}

}  // namespace
}  // namespace suanli
