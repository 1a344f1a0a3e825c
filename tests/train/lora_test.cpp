// Runs that train adapters: the base stays as it is, what is saved is small and resumes bit for bit.
#include <gtest/gtest.h>

#include <set>

#include "expect_error.h"
#include "formats/model_folder.h"
#include "models/merge.h"
#include "optim/optimizer.h"
#include "quiet_run.h"
#include "tiny_run.h"
#include "train/run.h"
#include "train/train_step.h"

namespace suanli {
namespace {

class LoraRun : public testing::Test {
 protected:
  void SetUp() override {
    initialize();
    folder_ = fresh_folder("lora");
    std::filesystem::create_directories(folder_ / "base");
    models::save_model(models::new_model(tiny_config(), {.head = models::Head::none}), folder_ / "base");
    tiny_tokenizer().save(folder_ / "base");
    std::string lines = "text,label\n";
    for (const Example& example : tiny_examples(40, 1)) lines += example.text + "," + example.labels[0] + "\n";
    write_file_atomically(folder_ / "data.csv", lines);
  }

  int run(const std::string& output, std::vector<std::string> words, const std::string& model = "base",
          int (*verb)(const Config&) = run_training) const {
    words.insert(words.begin(), {"task=text-classification", "model_name_or_path=" + (folder_ / model).string(),
                                 "output_dir=" + (folder_ / output).string(), "precision=f32",
                                 "per_device_train_batch_size=4", "learning_rate=0.01"});
    const char* data = verb == run_training ? "train_file=" : "validation_file=";
    words.push_back(data + (folder_ / "data.csv").string());
    return quiet_run(words, verb);
  }
  std::string bytes(const std::string& file) const { return read_file(folder_ / file); }
  Json results(const std::string& output) const { return read_json(folder_ / output / "eval_results.json"); }

  std::filesystem::path folder_;
};

const std::vector<std::string> kSteps = {
    "use_peft=true",       "lora_r=2",     "lora_dropout=0.1",     "save_strategy=steps",
    "max_steps=8",         "save_steps=1", "validation_split=0.2", "load_best_model_at_end=true",
    "eval_strategy=steps", "eval_steps=1"};

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_F(LoraRun, SavesTheAdapterAloneAndResumesBitForBit) {
  const std::string base = bytes("base/model.safetensors");
  ASSERT_EQ(run("whole", kSteps), 0);
  EXPECT_EQ(bytes("base/model.safetensors"), base);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "whole" / kModelWeights));
  const auto state = SafetensorsFile::open(folder_ / "whole/checkpoint-8/optimizer.safetensors");
  for (const SafetensorsEntry& each : state.entries()) {
    const std::string_view name = each.name;
    const bool trained = name.find("lora_") != name.npos || name.find("classifier") != name.npos ||
                         name.find("pooler") != name.npos || name == "step";
    EXPECT_TRUE(trained) << name << " of a frozen parameter";
  }
  for (const int step : {1, 5}) {
    const auto checkpoint = folder_ / "whole" / ("checkpoint-" + std::to_string(step));
    ASSERT_EQ(run("again", with(kSteps, {"resume_from_checkpoint=" + checkpoint.string()})), 0);
    for (const char* file : {"checkpoint-8/adapter_model.safetensors", "checkpoint-8/optimizer.safetensors",
                             "adapter_model.safetensors"}) {
      EXPECT_TRUE(bytes(std::string("again/") + file) == bytes(std::string("whole/") + file))
          << file << " from " << step;
    }
  }
}

TEST_F(LoraRun, AnAdapterIsEvaluatedAndTrainedFurtherLikeAModel) {
  ASSERT_EQ(run("first", with(kSteps, {"do_eval=true"})), 0);
  // What the new head needs beyond PEFT's usual modules is kept whole and named.
  const Json config = read_json(folder_ / "first" / kAdapterConfig);
  EXPECT_EQ(config["modules_to_save"], Json::parse(R"(["classifier", "score", "bert.pooler.dense"])"));
  EXPECT_EQ(config["target_modules"], Json::parse(R"(["query", "value"])"));
  ASSERT_EQ(run("scores", {"validation_split=0.2", "eval_strategy=no"}, "first"), 0) << "without use_peft";
  EXPECT_TRUE(is_adapter_folder(folder_ / "scores"));
  EXPECT_NE(bytes("scores/adapter_model.safetensors"), bytes("first/adapter_model.safetensors"));
  ASSERT_EQ(run("base_scores", {}, "first", run_evaluation), 0);
  ASSERT_EQ(run("more_scores", {}, "scores", run_evaluation), 0);
  EXPECT_LT(results("more_scores")["eval_loss"].get<double>(), results("base_scores")["eval_loss"].get<double>());
  EXPECT_NE(error_of([&] { run("no", kSteps, "first"); }).find("adapter"), std::string::npos);
}

TEST_F(LoraRun, AMergedFolderScoresAsItsAdapter) {
  ASSERT_EQ(run("adapter", kSteps), 0);
  models::write_merged_folder(folder_ / "adapter", folder_ / "merged", DType::f32);
  ASSERT_EQ(run("of_adapter", {}, "adapter", run_evaluation), 0);
  ASSERT_EQ(run("of_merged", {}, "merged", run_evaluation), 0);
  EXPECT_EQ(results("of_adapter")["eval_loss"], results("of_merged")["eval_loss"]);
}

TEST_F(LoraRun, OneStepMovesTheAdaptersAndNothingElse) {
  const LabelTable labels = LabelTable::from_names({"early", "late"});
  const TaskKind kind = task_kind("text-classification", "", Json::object());
  const models::Model model = models::load_model(
      folder_ / "base",
      {.head = kind.head, .labels = labels.names(), .trainable = true, .lora = LoraConfig{.r = 2, .lora_alpha = 4}});
  const auto task = make_task(kind, model, tiny_tokenizer(), labels, {.max_length = 12});
  const Dataset rows = make_dataset(*task, {"made-up", tiny_examples(8, 1)}, -1);
  std::vector<Tensor> before;
  for (const nn::Parameter& parameter : model.parameters->all()) before.push_back(detach(parameter.value).clone());
  const auto optimizer = optim::adamw(model.parameters->trained(), {.weight_decay = 0.1});
  const Batch batch = pack(rows.rows);
  for (int step = 0; step < 2; ++step) {  // lora_A moves once lora_B is no longer zero
    train_step(*task, {&batch, 1}, model, *optimizer, {.learning_rate = 0.1});
  }
  std::set<std::string> trained;
  for (const nn::Parameter& parameter : model.parameters->trained()) trained.insert(parameter.name);
  size_t i = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const Tensor now = detach(parameter.value);
    const bool same = std::ranges::equal(now.host<float>(), before[i++].host<float>());
    EXPECT_EQ(same, !trained.contains(parameter.name)) << parameter.name;
  }
}

TEST_F(LoraRun, OptionsThatContradictEachOtherAreNamed) {
  EXPECT_NE(error_of([&] { run("no", {"lora_r=4"}); }).find("lora_r"), std::string::npos);
  EXPECT_NE(error_of([&] {
              run("no", {"use_peft=true", "lora_target_modules=q_proj"});
            }).find("q_proj"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli
