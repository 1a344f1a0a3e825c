// What a run writes: the Hugging Face log line, JSON without NaN, files that a resumed run continues without doubles.
#include "train/run_log.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "tiny_run.h"
#include "train/progress.h"
#include "train/trainer_state.h"

namespace suanli {
namespace {

TEST(RunLog, TheLineIsTheDictOfHuggingFace) {
  EXPECT_EQ(log_line({{"loss", 2.1}, {"grad_norm", 0.75}, {"learning_rate", 4.9e-5}, {"epoch", 0.5}}),
            "{'loss': 2.1, 'grad_norm': 0.75, 'learning_rate': 4.9e-05, 'epoch': 0.5}");
}

TEST(RunLog, EveryRecordIsOneJsonLineAndNaNIsNull) {
  const auto folder = fresh_folder("log_lines");
  testing::internal::CaptureStdout();
  RunLog log({.output_dir = folder}, Json::array());
  log.record(10, {{"loss", 2.5}, {"perf/tokens_per_second", 1000}});
  log.record(20, {{"loss", NAN}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{'loss': 2.5}\n{'loss': nan}\n");
  EXPECT_EQ(read_file(folder / "metrics.jsonl"),
            "{\"loss\":2.5,\"perf/tokens_per_second\":1000.0,\"step\":10}\n{\"loss\":null,\"step\":20}\n");
  EXPECT_EQ(log.history().size(), 2U);
}

TEST(RunLog, AResumedRunKeepsTheRecordsOfItsCheckpointAlone) {
  const auto folder = fresh_folder("log_resume");
  testing::internal::CaptureStdout();
  Json history;
  {
    RunLog log({.output_dir = folder}, Json::array());
    log.record(10, {{"loss", 3}});
    history = log.history();
    log.record(20, {{"loss", 2}});  // after the checkpoint: lost with the run
  }
  RunLog resumed({.output_dir = folder}, history);
  resumed.record(20, {{"loss", 2}});
  testing::internal::GetCapturedStdout();
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"loss\":3.0,\"step\":10}\n{\"loss\":2.0,\"step\":20}\n");
}

TEST(RunLog, ResultsOfSplitsMeetInAllResults) {
  const auto folder = fresh_folder("results");
  write_results(folder, "train", {{"train_loss", 0.5}});
  write_results(folder, "eval", {{"eval_loss", NAN}, {"eval_accuracy", 0.25}});
  EXPECT_EQ(read_file(folder / "eval_results.json"), "{\n    \"eval_accuracy\": 0.25,\n    \"eval_loss\": null\n}\n");
  EXPECT_EQ(read_json(folder / "all_results.json"),
            (Json{{"train_loss", 0.5}, {"eval_loss", nullptr}, {"eval_accuracy", 0.25}}));
}

TEST(TrainerState, HasTheKeysOfTransformersSortedAndNullForNothing) {
  TrainerState state;
  state.global_step = 5;
  const Json json = to_json(state);
  const std::vector<std::string> wanted = {"best_global_step",
                                           "best_metric",
                                           "best_model_checkpoint",
                                           "epoch",
                                           "eval_steps",
                                           "global_step",
                                           "is_hyper_param_search",
                                           "is_local_process_zero",
                                           "is_world_process_zero",
                                           "log_history",
                                           "logging_steps",
                                           "max_steps",
                                           "num_input_tokens_seen",
                                           "num_train_epochs",
                                           "save_steps",
                                           "stateful_callbacks",
                                           "total_flos",
                                           "train_batch_size",
                                           "trial_name",
                                           "trial_params"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, wanted);
  EXPECT_TRUE(json["best_metric"].is_null());
  EXPECT_TRUE(json_text(json).starts_with("{\n  \"best_global_step\": null,\n"));
  EXPECT_TRUE(json_text(json).ends_with("}\n"));
}

TEST(TrainerState, SurvivesARoundTrip) {
  TrainerState state;
  state.global_step = 40;
  state.max_steps = 100;
  state.epoch = 1.25;
  state.best_metric = 0.1 + 0.2;
  state.best_global_step = 30;
  state.best_model_checkpoint = "out/checkpoint-30";
  state.early_stopping_patience = 3;
  state.evaluations_without_progress = 2;
  state.skipped_steps = 4;
  state.skipped_in_a_row = 1;
  state.log_history.push_back({{"step", 10}, {"loss", 1.5}});
  const TrainerState again = trainer_state(parse_json(json_text(to_json(state)), "state"), "state");
  EXPECT_EQ(again.best_metric, state.best_metric) << "every bit of a double";
  EXPECT_EQ(again.evaluations_without_progress, 2);
  EXPECT_EQ(again.skipped_in_a_row, 1);
  TrainerState same = again;
  same.early_stopping_patience = state.early_stopping_patience;  // an argument, not a part of what is restored
  EXPECT_EQ(to_json(same), to_json(state));
  EXPECT_THROW(trainer_state(Json::object(), "state"), UserError);
}

TEST(Progress, TheBarFillsItsWidth) {
  const std::string line = progress_line(50, 100, 50, 25.0, 60);
  EXPECT_EQ(line.size(), 60U);
  EXPECT_TRUE(line.starts_with(" 50%|##")) << line;
  EXPECT_TRUE(line.ends_with("| 50/100 [00:25<00:25, 2.00 step/s]")) << line;
  EXPECT_EQ(progress_line(0, 10, 0, 0.0, 10), "  0%|| 0/10 [00:00<?, 0.00 step/s]") << "too narrow for a bar";
}

}  // namespace
}  // namespace suanli
