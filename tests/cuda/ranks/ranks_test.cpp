// Several processes that train on their shares of each batch do what one does with the whole batches.
#include "ranks.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

constexpr double kSeconds = 120;  // far more than any run here takes

struct Step {
  double loss = 0, gradient_norm = 0;
};

/// Of metrics.jsonl with logging_steps=1.
std::vector<Step> steps_of(const fs::path& folder) {
  std::vector<Step> steps;
  std::istringstream lines(read(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line);
    if (entry.contains("grad_norm")) steps.push_back({entry["loss"], entry["grad_norm"]});
  }
  return steps;
}

/// Twice as many where each rank takes all rows, although the losses are then the same.
int64_t tokens_seen(const fs::path& folder) {
  return Json::parse(read(folder / "trainer_state.json"))["num_input_tokens_seen"];
}

class RanksTest : public testing::Test {
 protected:
  void SetUp() override { setenv("LD_LIBRARY_PATH", CUDA_STAND_IN_DIR, 1); }

  static fs::path fresh(const std::string& name) {
    const fs::path folder = scratch(name);
    fs::remove_all(folder);
    fs::create_directories(folder);
    return folder;
  }

  /// Without dropout; 22 rows, so that the last batch of an epoch is short and cut unevenly. Sentences have a label for
  /// each of their tokens, so that the shares of a batch have different numbers of items.
  static std::string arguments(const fs::path& output, const std::string& more) {
    const fs::path data = scratch("data") / "train.jsonl";
    if (!fs::exists(data)) {
      std::string lines;
      for (int row = 0; row < 22; ++row) {
        std::string tokens, tags;
        for (int word = 0; word < 1 + row * 5 % 7; ++word) {
          const char* const kWords[] = {"good", "bad", "plain", "film"};
          const int which = (row + word * word) % 4;
          tokens += std::string(word == 0 ? "" : ", ") + '"' + kWords[which] + '"';
          tags += std::string(word == 0 ? "" : ", ") + (which < 2 ? "\"judgement\"" : "\"other\"");
        }
        lines += "{\"tokens\": [" + tokens + "], \"ner_tags\": [" + tags + "]}\n";
      }
      write(data, lines);
    }
    return "train task=token-classification config_name=" + small_classifier().string() +
           " tokenizer_name=" + small_classifier().string() + " train_file=" + data.string() +
           " output_dir=" + output.string() +
           " device=cuda precision=f32 optim=sgd learning_rate=0.5 momentum=0.9 lr_scheduler_type=constant "
           "logging_steps=1 save_strategy=no max_steps=6 seed=3 cuda_graphs=false disable_tqdm=true " +
           more;
  }

  static std::vector<Step> one_process(const fs::path& folder, const std::string& more) {
    const ProgramRun run = suanli(arguments(folder, more));
    EXPECT_EQ(run.code, 0) << run.err;
    return steps_of(folder);
  }

  static std::vector<Step> processes(int size, const fs::path& folder, const std::string& more) {
    std::vector<int> ranks;
    for (int rank = 0; rank < size; ++rank) ranks.push_back(rank);
    Ranks group(folder, size, ranks, arguments(folder, more));
    const std::vector<RankRun> runs = group.finish(kSeconds);
    for (size_t rank = 0; rank < runs.size(); ++rank) {
      EXPECT_EQ(runs[rank].code, 0) << "rank " << rank << ": " << runs[rank].err;
      EXPECT_EQ(rank == 0, !(runs[rank].out + runs[rank].err).empty()) << "the first rank alone speaks";
    }
    return steps_of(folder);
  }

  /// Only the order of sums differs. A loss or a norm of a gradient is a chain of sums of at most 64 terms (widths, and
  /// items of a batch); another order changes one by 64 * 2^-24 = 4e-6 at most, relative to its terms, and each step
  /// of these six inherits what the ones before have changed.
  static void expect_equal(const std::vector<Step>& got, const std::vector<Step>& expected) {
    ASSERT_EQ(expected.size(), 6U);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const double bound = 4e-6 * static_cast<double>(i + 1);
      EXPECT_NEAR(got[i].loss, expected[i].loss, bound * expected[i].loss) << i;
      EXPECT_NEAR(got[i].gradient_norm, expected[i].gradient_norm, bound * expected[i].gradient_norm) << i;
      EXPECT_GT(std::abs(expected[i].loss - expected[(i + 1) % 6].loss), 1e-3) << "a step that proves nothing";
    }
  }
};

TEST_F(RanksTest, TwoProcessesHaveTheLossesOfOne) {
  const auto expected = one_process(fresh("one"), "per_device_train_batch_size=8");
  expect_equal(processes(2, fresh("two"), "per_device_train_batch_size=4"), expected);
  EXPECT_EQ(tokens_seen(scratch("two")), tokens_seen(scratch("one")));
}

// A wider model, whose gradients fill two buckets: the first is summed while backward goes on.
TEST_F(RanksTest, BucketsThatAreSummedDuringBackwardHaveTheLossesOfOne) {
  Json config = Json::parse(read(small_classifier() / "config.json"));
  config["hidden_size"] = 128;
  config["intermediate_size"] = 512;
  write(scratch("wide") / "config.json", config.dump());
  const std::string more =
      "config_name=" + scratch("wide").string() + " learning_rate=0.1 per_device_train_batch_size=";
  const auto expected = one_process(fresh("one_wide"), more + "4");
  expect_equal(processes(2, fresh("two_wide"), more + "2"), expected);
  setenv("SUANLI_STAND_IN_STREAMS", "early", 1);
  const auto early = processes(2, fresh("two_wide_early"), more + "2");
  unsetenv("SUANLI_STAND_IN_STREAMS");
  expect_equal(early, expected);
}

// Batches of 6 rows and a last one of 4, of which the third rank has two; two batches make a step.
TEST_F(RanksTest, ThreeProcessesHaveTheLossesOfOneWithAccumulation) {
  const std::string more = "gradient_accumulation_steps=2 max_grad_norm=0.3 per_device_train_batch_size=";
  const auto expected = one_process(fresh("one_accumulated"), more + "6");
  expect_equal(processes(3, fresh("three_accumulated"), more + "2"), expected);
}

// With early streams whoever sums gradients before they are there, or uses them before the sum is, is seen.
TEST_F(RanksTest, TheStreamsAreInOrder) {
  const auto expected = one_process(fresh("one_late"), "per_device_train_batch_size=4");
  setenv("SUANLI_STAND_IN_STREAMS", "early", 1);
  const auto early = processes(2, fresh("two_early"), "per_device_train_batch_size=2");
  unsetenv("SUANLI_STAND_IN_STREAMS");
  expect_equal(early, expected);
}

// 21 rows in batches of 20: the second batch has one row, and the first of two ranks none.
TEST_F(RanksTest, ARankWithoutARowTakesPart) {
  const auto expected = one_process(fresh("one_row"), "per_device_train_batch_size=20 max_train_samples=21");
  expect_equal(processes(2, fresh("two_row"), "per_device_train_batch_size=10 max_train_samples=21"), expected);
}

TEST_F(RanksTest, ARunResumesWithAnotherNumberOfProcesses) {
  const auto expected = one_process(fresh("one_whole"), "per_device_train_batch_size=8");
  const fs::path folder = fresh("two_resumed");
  processes(2, folder, "per_device_train_batch_size=4 max_steps=3 save_strategy=steps save_steps=3");
  processes(2, folder, "per_device_train_batch_size=4 resume_from_checkpoint=true");
  expect_equal(steps_of(folder), expected);
  const fs::path alone = fresh("one_resumed");
  one_process(alone, "per_device_train_batch_size=8 resume_from_checkpoint=" + (folder / "checkpoint-3").string());
  expect_equal(steps_of(alone), expected);
}

TEST_F(RanksTest, TheFirstRankEvaluatesForAllAndStopsAll) {
  const std::string data = (scratch("data") / "train.jsonl").string();
  const fs::path folder = fresh("evaluated");
  const std::string more = "per_device_train_batch_size=4 validation_file=" + data +
                           " eval_strategy=steps eval_steps=1 metric_for_best_model=loss early_stopping_patience=2 "
                           "load_best_model_at_end=true save_strategy=best learning_rate=0 lr_scheduler_type=constant";
  processes(2, folder, more);
  const auto steps = steps_of(folder);
  EXPECT_EQ(steps.size(), 3U) << "the first evaluation is the best, two more are no better";
  EXPECT_TRUE(fs::exists(folder / "checkpoint-1"));
  EXPECT_TRUE(fs::exists(folder / "eval_results.json"));
}

TEST_F(RanksTest, AKilledRankEndsTheOthers) {
  const fs::path folder = fresh("killed");
  Ranks group(folder, 3, {0, 1, 2}, arguments(folder, "per_device_train_batch_size=2 max_steps=100000"));
  for (int i = 0; i < 1000 && group.out(0).find("'loss'") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(group.process(1), SIGKILL);
  const std::vector<RankRun> runs = group.finish(10);
  EXPECT_EQ(runs[0].code, 1) << runs[0].err;
  EXPECT_NE(runs[0].err.find("[dist] rank 1 has ended"), std::string::npos) << runs[0].err;
  EXPECT_EQ(runs[1].code, 128 + SIGKILL);
  EXPECT_EQ(runs[2].code, 1) << runs[2].err;
  EXPECT_NE(runs[2].err.find("[dist] rank 0 has ended"), std::string::npos) << runs[2].err;
}

// A rank that stands still, as one does whose device hangs, keeps its connections.
TEST_F(RanksTest, ARankThatStandsStillEndsTheOthersAfterTheTimeout) {
  const fs::path folder = fresh("still");
  Ranks group(folder, 2, {0, 1}, arguments(folder, "per_device_train_batch_size=2 max_steps=100000 ddp_timeout=4"));
  for (int i = 0; i < 1000 && group.out(0).find("'loss'") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(group.process(1), SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(6));
  kill(group.process(1), SIGCONT);
  const std::vector<RankRun> runs = group.finish(20);
  EXPECT_EQ(runs[0].code, 1) << runs[0].err;
  EXPECT_NE(runs[0].err.find("ddp_timeout"), std::string::npos) << runs[0].err;
  EXPECT_EQ(runs[1].code, 1) << runs[1].err;
}

TEST_F(RanksTest, ASignalToOneRankSavesAndEndsAll) {
  const fs::path folder = fresh("signal");
  Ranks group(folder, 2, {0, 1}, arguments(folder, "per_device_train_batch_size=2 max_steps=100000"));
  for (int i = 0; i < 1000 && group.out(0).find("'loss'") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(group.process(1), SIGTERM);
  const std::vector<RankRun> runs = group.finish(20);
  EXPECT_EQ(runs[0].code, 128 + SIGTERM) << runs[0].err;
  EXPECT_EQ(runs[1].code, 128 + SIGTERM) << runs[1].err;
  EXPECT_NE(runs[0].err.find("stopped by signal 15"), std::string::npos) << runs[0].err;
}

TEST_F(RanksTest, AMissingRankIsNamed) {
  const fs::path folder = fresh("missing");
  Ranks group(folder, 3, {0, 2}, arguments(folder, "ddp_timeout=2"));
  for (const RankRun& run : group.finish(20)) {
    EXPECT_EQ(run.code, 1) << run.err;
    EXPECT_NE(run.err.find("[dist] expected 3 processes within 2 s"), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("missing rank 1:"), std::string::npos) << run.err;
  }
}

TEST_F(RanksTest, WhatCannotTrainTogetherIsRefused) {
  const auto expect = [](const std::string& name, const std::string& more, int code, const std::string& text) {
    const fs::path folder = fresh(name);
    Ranks group(folder, 2, {0, 1}, arguments(folder, more));
    for (const RankRun& run : group.finish(30)) {
      EXPECT_EQ(run.code, code) << run.err;
      EXPECT_NE(run.err.find(text), std::string::npos) << run.err;
    }
  };
  expect("on_the_cpu", "device=cpu", 2, "[device] expected cuda for WORLD_SIZE=2");
  // Another library under its name, so that none that is installed is found.
  const fs::path folder = fresh("other_library");
  for (const auto& file : fs::directory_iterator(CUDA_STAND_IN_DIR)) {
    fs::copy(file.path(), folder / file.path().filename());
  }
  fs::copy(folder / "libnvidia-ml.so.1", folder / "libnccl.so.2", fs::copy_options::overwrite_existing);
  setenv("LD_LIBRARY_PATH", folder.c_str(), 1);
  expect("no_library", "", 2, "[nccl] expected NCCL for 2 processes: libnccl.so.2 lacks ncclGetVersion");
}

TEST_F(RanksTest, RanksWithDifferentOptionsAreRefused) {
  const fs::path folder = fresh("different");
  const fs::path script = folder / "rows.sh";
  write(script, "exec " SUANLI_PROGRAM " \"$@\" max_train_samples=$((20 + RANK))\n");
  Ranks group(folder, 2, {0, 1}, arguments(folder, ""), "sh " + script.string());
  for (const RankRun& run : group.finish(30)) {
    EXPECT_EQ(run.code, 2) << run.err;
    EXPECT_NE(run.err.find("expected the same run on all ranks, got 21 training rows on rank 1 and 20 on rank 0"),
              std::string::npos)
        << run.err;
  }
}

TEST_F(RanksTest, TheWeightsAreThoseOfTheFirstRank) {
  const std::string more = "data_seed=3 per_device_train_batch_size=";
  const auto expected = one_process(fresh("one_seed"), more + "8");
  const fs::path folder = fresh("two_seeds"), script = folder / "seeds.sh";
  write(script, "exec " SUANLI_PROGRAM " \"$@\" seed=$((3 + RANK))\n");
  Ranks group(folder, 2, {0, 1}, arguments(folder, more + "4"), "sh " + script.string());
  for (const RankRun& run : group.finish(kSeconds)) EXPECT_EQ(run.code, 0) << run.err;
  expect_equal(steps_of(folder), expected);
}

TEST_F(RanksTest, DoctorSaysWhichNccl) { EXPECT_NE(suanli("doctor").out.find("NCCL 2."), std::string::npos); }

}  // namespace
}  // namespace suanli::e2e
