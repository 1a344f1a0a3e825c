// The option table has the names and defaults of Hugging Face's TrainingArguments; contradictions are refused by name.
#include "train/arguments.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "golden.h"

namespace suanli {
namespace {

TrainArguments parse(std::vector<std::string> words) {
  Config config(train_options());
  config.read_arguments(words);
  return train_arguments(config);
}

std::string refusal(std::vector<std::string> words) {
  try {
    parse(std::move(words));
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Arguments, NamesAndDefaultsAreThoseOfTransformers) {
  const OptionTable& table = train_options();
  const Json reference = golden("arguments/training_arguments.json")["defaults"];
  const Config config(table);
  for (const auto& [name, value] : reference.items()) {
    const int at = table.find(name);
    ASSERT_GE(at, 0) << name << " is not accepted";
    const Option& option = table.options()[static_cast<size_t>(at)];
    if (option.no_effect || value.is_null() || !config.is_set(option.name)) continue;
    if (value.is_boolean()) {
      EXPECT_EQ(config.get_bool(name), value.get<bool>()) << name;
    } else if (value.is_number()) {
      const double ours =
          option.type == OptionType::integer ? static_cast<double>(config.get_int(name)) : config.get_float(name);
      EXPECT_EQ(ours, value.get<double>()) << name;
    }
  }
}

TEST(Arguments, TextDefaultsAreThoseOfTransformers) {
  const TrainArguments arguments = parse({});
  EXPECT_EQ(arguments.lr_scheduler_type, "linear");
  EXPECT_EQ(arguments.optimizer, "adamw");
  EXPECT_EQ(arguments.output_dir, "trainer_output");
  EXPECT_EQ(arguments.eval_strategy, Interval::no);
  EXPECT_EQ(arguments.save_strategy, Interval::steps);
  EXPECT_EQ(arguments.eval_steps, 500) << "eval_steps follows logging_steps";
  EXPECT_EQ(parse({"--logging_steps", "7"}).eval_steps, 7);
  EXPECT_FALSE(arguments.tensorboard);
}

TEST(Arguments, OldNamesMeanTheSame) {
  EXPECT_EQ(parse({"--per_gpu_train_batch_size=3"}).train_batch, 3);
  EXPECT_EQ(parse({"evaluation_strategy=epoch", "train_file=a.csv", "validation_file=b.csv"}).eval_strategy,
            Interval::epoch);
  EXPECT_TRUE(parse({"--group_by_length"}).group_by_length);
  EXPECT_EQ(parse({"--bf16"}).precision, Precision::bf16);
  EXPECT_EQ(parse({"--no-bf16"}).precision, Precision::f32);
}

TEST(Arguments, AWarmUpRatioOfOneIsTheWholeRun) {
  EXPECT_EQ(resolve_steps(parse({"--warmup_ratio", "1.0"}).warmup_steps, 400), 400);
  EXPECT_EQ(resolve_steps(parse({"--warmup_steps", "1"}).warmup_steps, 400), 1);
  EXPECT_EQ(resolve_steps(parse({"--warmup_steps", "0.06"}).warmup_steps, 101), 7) << "ratios round up";
}

TEST(Arguments, TheBestModelNeedsAMetricAndItsDirection) {
  const std::vector<std::string> base = {"train_file=a", "validation_file=b", "eval_strategy=epoch",
                                         "save_strategy=epoch", "--load_best_model_at_end"};
  EXPECT_EQ(parse(base).metric_for_best_model, "loss");
  EXPECT_FALSE(parse(base).greater_is_better);
  std::vector<std::string> f1 = base;
  f1.push_back("metric_for_best_model=eval_f1_macro");
  EXPECT_EQ(parse(f1).metric_for_best_model, "f1_macro");
  EXPECT_TRUE(parse(f1).greater_is_better);
}

TEST(Arguments, ContradictionsAreRefusedByName) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"--fp16", "--bf16"}, "fp16"},
      {{"--fp16", "precision=bf16"}, "fp16"},
      {{"--bf16_stochastic_round"}, "precision"},
      {{"--bf16_stochastic_round", "--bf16", "optim=sgd"}, "adamw"},
      {{"--do_train"}, "train_file"},
      {{"--do_eval"}, "validation_file"},
      {{"--do_predict"}, "test_file"},
      {{"precision=f32", "--bf16"}, "bf16"},
      {{"precision=int8", "--no-bf16"}, "bf16"},
      {{"learning_rate=-1"}, "learning_rate"},
      {{"per_device_train_batch_size=0"}, "per_device_train_batch_size"},
      {{"train_file=a", "num_train_epochs=0"}, "num_train_epochs"},
      {{"validation_split=0.5", "test_split=0.5"}, "validation_split"},
      {{"train_file=a", "--load_best_model_at_end"}, "eval_strategy"},
      {{"train_file=a", "early_stopping_patience=2"}, "eval_strategy"},
      {{"train_file=a", "eval_strategy=steps"}, "validation_file"},
      {{"train_file=a", "validation_file=b", "eval_strategy=epoch", "--load_best_model_at_end"}, "save_strategy"},
      {{"train_file=a", "validation_file=b", "eval_strategy=steps", "eval_steps=30", "save_steps=100",
        "--load_best_model_at_end"},
       "multiple"},
      {{"report_to=wandb"}, "tensorboard"},
  };
  for (const auto& [words, named] : cases) {
    EXPECT_NE(refusal(words).find(named), std::string::npos) << words.back() << ": " << refusal(words);
  }
}

}  // namespace
}  // namespace suanli
