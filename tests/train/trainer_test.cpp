// The loop as a whole: a run resumes bit for bit, signals save, NaN never reaches a weight, the best model comes back.
#include "train/trainer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/arithmetic.h"
#include "tiny_run.h"

namespace suanli {
namespace {

const std::vector<std::string> kAccumulate = {"gradient_accumulation_steps=2", "num_train_epochs=3"};

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string optimizer_bytes(const std::filesystem::path& checkpoint) {
  return read_file(checkpoint / "optimizer.safetensors");
}

TEST(Trainer, StepsAreCountedAsHuggingFaceCountsThem) {
  // 26 rows in batches of 4: 7 batches; by twos: 4 steps an epoch, the last of one batch alone.
  TinyRun run(fresh_folder("steps"), kAccumulate);
  const TrainResult result = run.train();
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.state.global_step, 12);
  EXPECT_EQ(result.state.epoch, 3);
  EXPECT_EQ(result.state.log_history.size(), 7U) << "six records and the summary";
}

TEST(Trainer, ItLearns) {
  TinyRun run(fresh_folder("learns"), {"num_train_epochs=30", "eval_strategy=epoch"});
  const Json history = run.train().state.log_history;
  EXPECT_LT(history.back()["train_loss"].get<double>(), 0.6) << "log 2 = 0.69 is chance";
}

TEST(Trainer, TheLearningRateFollowsTheSchedule) {
  TinyRun run(fresh_folder("schedule"), {"max_steps=4", "warmup_steps=2", "logging_steps=1"});
  const Json history = run.train().state.log_history;
  EXPECT_EQ(history[0]["learning_rate"], 0.0);
  EXPECT_EQ(history[1]["learning_rate"], 0.005);
  EXPECT_EQ(history[2]["learning_rate"], 0.01);
  EXPECT_EQ(history[3]["learning_rate"], 0.005);
}

TEST(Trainer, TwoRunsGiveTheSameBits) {
  TinyRun a(fresh_folder("same_a"), kAccumulate), b(fresh_folder("same_b"), kAccumulate);
  a.train();
  b.train();
  EXPECT_EQ(a.weights(), b.weights());
}

TEST(Trainer, AResumedRunGivesTheBitsOfTheUnbrokenOneFromEveryStep) {
  const auto folder = fresh_folder("resume");
  const auto words = with(kAccumulate, {"save_strategy=steps", "save_steps=1", "eval_strategy=steps", "eval_steps=3"});
  TinyRun unbroken(folder, words);
  const TrainResult whole = unbroken.train();
  for (int step = 1; step < 12; ++step) {
    const auto again = fresh_folder("resume_again");
    const auto checkpoint = folder / ("checkpoint-" + std::to_string(step));
    TinyRun run(again, with(words, {"resume_from_checkpoint=" + checkpoint.string(), "save_steps=100"}));
    const TrainResult resumed = run.train();
    EXPECT_EQ(resumed.state.global_step, 12);
    EXPECT_EQ(run.weights(), unbroken.weights()) << "from step " << step;
    EXPECT_EQ(optimizer_bytes(again / "checkpoint-12"), optimizer_bytes(folder / "checkpoint-12"));
    // The losses in the log are the same too, those of records that span the break included.
    ASSERT_EQ(resumed.state.log_history.size(), whole.state.log_history.size());
    for (size_t i = 0; i < whole.state.log_history.size(); ++i) {
      for (const char* key : {"loss", "eval_loss", "train_loss", "step"}) {
        EXPECT_EQ(resumed.state.log_history[i].value(key, Json()), whole.state.log_history[i].value(key, Json()));
      }
    }
  }
}

TEST(Trainer, MatricesInBf16AloneLearnAndResumeBitForBit) {
  const auto folder = fresh_folder("bf16_alone");
  const std::vector<std::string> words = {"max_steps=200", "precision=bf16", "bf16_stochastic_round=true",
                                          "save_strategy=steps"};
  TinyRun unbroken(folder, with(words, {"save_steps=100"}));
  EXPECT_LT(unbroken.train().state.log_history.back()["train_loss"].get<double>(), 0.6) << "log 2 = 0.69 is chance";
  for (const nn::Parameter& p : unbroken.model.parameters->all()) {
    EXPECT_EQ(p.value.dtype(), p.value.shape().rank() == 2 ? DType::bf16 : DType::f32) << p.name;
  }
  TinyRun resumed(fresh_folder("bf16_alone_again"),
                  with(words, {"resume_from_checkpoint=" + (folder / "checkpoint-100").string()}));
  resumed.train();
  EXPECT_EQ(resumed.weights(), unbroken.weights());
}

TEST(Trainer, ResumeTakesTheNewestWholeCheckpointAndStartsAnewWhereThereIsNone) {
  const auto folder = fresh_folder("newest");
  const auto words = with(kAccumulate, {"save_strategy=steps", "save_steps=5", "resume_from_checkpoint=true"});
  TinyRun first(folder, words);
  first.train();
  // One flipped bit in the newest: the one before is taken, and the run ends with the same bits.
  const auto damaged = folder / "checkpoint-12" / "model.safetensors";
  std::string bytes = read_file(damaged);
  bytes[bytes.size() / 2] ^= 1;
  write_file_atomically(damaged, bytes);
  TinyRun second(folder, words);
  second.train();
  EXPECT_EQ(second.weights(), first.weights());
}

TEST(Trainer, ACheckpointOfAnotherRunIsRefusedByTheKeyThatDiffers) {
  const auto folder = fresh_folder("other");
  TinyRun(folder, with(kAccumulate, {"save_strategy=epoch"})).train();
  const std::string resume = "resume_from_checkpoint=" + (folder / "checkpoint-4").string();
  for (const char* change : {"seed=43", "per_device_train_batch_size=8", "gradient_accumulation_steps=1"}) {
    TinyRun run(fresh_folder("other_again"), with(kAccumulate, {resume, change}));
    try {
      run.train();
      FAIL() << change;
    } catch (const UserError& error) {
      testing::internal::GetCapturedStdout();
      EXPECT_NE(std::string(error.what()).find(std::string(change).substr(0, std::string(change).find('='))),
                std::string::npos);
    }
  }
}

TEST(Trainer, ASignalFinishesTheStepSavesAndTheResumedRunIsTheSame) {
  const auto folder = fresh_folder("signal");
  TinyRun unbroken(fresh_folder("signal_unbroken"), kAccumulate);
  unbroken.train();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    TinyRun stopped(folder, kAccumulate, [signal](int64_t call, const Tensor& loss) {
      if (call == 8) raise(signal);  // in the middle of the fifth step
      return loss;
    });
    const TrainResult result = stopped.train();
    EXPECT_EQ(result.outcome, Outcome::interrupted);
    EXPECT_EQ(result.signal, signal);
    EXPECT_EQ(result.state.global_step, 5);
    EXPECT_TRUE(std::filesystem::exists(folder / "checkpoint-5" / "manifest.json"));
    TinyRun resumed(folder, with(kAccumulate, {"resume_from_checkpoint=true"}));
    resumed.train();
    EXPECT_EQ(resumed.weights(), unbroken.weights());
    std::filesystem::remove_all(folder);
  }
}

TEST(TrainerDeathTest, ASecondSignalEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        TinyRun run(fresh_folder("second_signal"), kAccumulate, [](int64_t, const Tensor& loss) {
          raise(SIGTERM);
          raise(SIGTERM);
          return loss;
        });
        run.train();
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
}

TEST(Trainer, ALossThatIsNotFiniteChangesNothingAndIsCounted) {
  for (const float bad : {NAN, INFINITY}) {
    std::vector<float> before, after;
    const TinyRun* self = nullptr;
    const auto inject = [&](int64_t call, const Tensor& loss) {
      if (call == 2) before = self->weights();
      if (call == 3) after = self->weights();
      return call == 2 ? ops::scale(loss, bad) : loss;
    };
    TinyRun injected(fresh_folder("nan"), {"max_steps=6", "logging_steps=1"}, inject);
    self = &injected;
    const TrainResult result = injected.train();
    EXPECT_EQ(result.outcome, Outcome::finished);
    EXPECT_EQ(result.state.skipped_steps, 1);
    EXPECT_EQ(result.state.skipped_in_a_row, 0);
    EXPECT_EQ(before, after);
    EXPECT_TRUE(result.state.log_history[2]["loss"].is_null());
    EXPECT_NE(injected.weights(), after) << "later steps learn again";
  }
}

TEST(Trainer, TooManyStepsInARowThatAreNotFiniteStopTheRunAndNameTheFirstBadTensor) {
  const auto folder = fresh_folder("nan_stop");
  TinyRun run(folder, {"max_steps=40", "max_nan_steps=3"});
  const nn::Parameter& bad = run.model.parameters->all()[4];
  bad.value.reshape({bad.value.elements()}).rows(0, 1).copy_from(Tensor::from(std::vector<float>{NAN}, {1}));
  testing::internal::CaptureStderr();
  const TrainResult result = run.train();
  const std::string messages = testing::internal::GetCapturedStderr();
  EXPECT_EQ(result.outcome, Outcome::not_finite);
  EXPECT_EQ(result.state.global_step, 3);
  EXPECT_EQ(result.state.skipped_in_a_row, 3);
  EXPECT_NE(messages.find(bad.name), std::string::npos) << messages;
}

TEST(Trainer, TheBestModelComesBackAndTheLimitKeepsIt) {
  const auto folder = fresh_folder("best");
  TinyRun run(folder, {"num_train_epochs=6", "learning_rate=0.05", "eval_strategy=epoch", "save_strategy=epoch",
                       "load_best_model_at_end=true", "save_total_limit=1", "metric_for_best_model=loss"});
  const TrainResult result = run.train();
  ASSERT_TRUE(result.state.best_metric.has_value());
  double least = HUGE_VAL;
  for (const Json& entry : result.state.log_history) {
    if (entry.contains("eval_loss")) least = std::min(least, entry["eval_loss"].get<double>());
  }
  EXPECT_EQ(*result.state.best_metric, least);
  EXPECT_TRUE(std::filesystem::exists(result.state.best_model_checkpoint));
  const Evaluation again = evaluate(*run.task, run.eval_set, DType::f32, {.batch_size = 8, .stop = {}});
  EXPECT_EQ(again.scores[0].second, least) << "the weights are those of the best evaluation";
}

TEST(Trainer, EarlyStoppingCountsEvaluationsWithoutProgress) {
  TinyRun run(fresh_folder("early"), {"num_train_epochs=50", "learning_rate=0", "lr_scheduler_type=constant",
                                      "eval_strategy=epoch", "early_stopping_patience=3"});
  const TrainResult result = run.train();
  EXPECT_EQ(result.outcome, Outcome::stopped_early);
  EXPECT_EQ(result.state.epoch, 4) << "one best evaluation, then three equal ones";
}

TEST(Trainer, AnUnknownMetricIsRefusedWithTheListOfScores) {
  TinyRun run(fresh_folder("metric"), {"num_train_epochs=1", "eval_strategy=epoch", "metric_for_best_model=acuracy"});
  try {
    run.train();
    FAIL();
  } catch (const UserError& error) {
    testing::internal::GetCapturedStdout();
    EXPECT_NE(std::string(error.what()).find("accuracy, "), std::string::npos) << error.what();
  }
}

TEST(Trainer, EveryTaskTrainsAndEvaluates) {
  for (const char* name : {"masked-lm", "regression"}) {
    TinyRun run(fresh_folder("tasks"), {"num_train_epochs=8", "eval_strategy=epoch"}, {}, name);
    const Json history = run.train().state.log_history;
    EXPECT_LT(history[history.size() - 3].value("loss", 1e9), history[0]["loss"].get<double>()) << name;
  }
}

}  // namespace
}  // namespace suanli
