/// What can befall a run from outside: it is killed, told to stop, out of disk, resumed from a damaged checkpoint, or
/// given numbers that overflow. Each time the checkpoints stand, and the run ends with the bits of an undisturbed one.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <regex>
#include <thread>

#include "base/json.h"
#include "e2e/fault_run.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

constexpr double kLongEnough = 60;  // seconds: a run of one second on a machine that does much else

bool says(const Ended& ended, const std::string& what) { return ended.err.find(what) != std::string::npos; }

/// The run, not disturbed any more, goes on from `step` to the bits that it would have had.
void expect_same_end(const fs::path& output_dir, int64_t step) {
  const Ended ended = Process(fault_run(output_dir)).wait();
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(says(ended, "checkpoint-" + std::to_string(step) + ": step " + std::to_string(step) + " of "))
      << ended.err;
  EXPECT_EQ(final_bits(output_dir), undisturbed().at_end);
}

/// Without this the equality of bits would say little.
TEST(Faults, TheRunHasDropoutAndEveryCheckpointDiffers) {
  const fs::path out = empty_folder("no_dropout");
  std::vector<std::string> arguments = fault_run(out, {"model_name_or_path=" + small_classifier().string()});
  ASSERT_EQ(Process(arguments).wait().code, 0);
  EXPECT_NE(final_bits(out), undisturbed().at_end) << "dropout changes what is learnt";
  ASSERT_EQ(undisturbed().at.size(), static_cast<size_t>(kLastStep / kSaveSteps));
  for (auto one = undisturbed().at.begin(), next = std::next(one); next != undisturbed().at.end(); ++one, ++next) {
    EXPECT_NE(one->second.model, next->second.model) << "step " << next->first;
    EXPECT_NE(one->second.optimizer, next->second.optimizer) << "step " << next->first;
  }
}

/// Every checkpoint there is whole and has the bits of the undisturbed run; returns the step of the newest, or 0.
int64_t expect_sound_checkpoints(const fs::path& output_dir) {
  int64_t newest = 0;
  for (const auto& [step, folder] : checkpoints(output_dir)) {
    newest = step;
    const std::string fault = fault_of(folder);
    EXPECT_EQ(fault, "") << folder;
    if (fault.empty()) {
      EXPECT_EQ(bits_of(folder), undisturbed().at.at(step)) << folder;
    }
  }
  return newest;
}

TEST(Faults, KilledAtRandomMomentsTheRunEndsWithTheSameBits) {
  const char* asked = std::getenv("SUANLI_KILLS");
  const int kills = asked != nullptr ? std::atoi(asked) : 12;
  ASSERT_GT(kills, 0);
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> delay(0, undisturbed().seconds);
  int done = 0, runs = 0, within_a_save = 0, after_a_checkpoint = 0;
  for (; done < kills; ++runs) {
    const fs::path out = empty_folder("killed_" + std::to_string(runs));
    int64_t newest = 0;
    for (bool finished = false; !finished;) {
      Process process(fault_run(out, {"save_total_limit=3"}));
      if (done < kills) {
        std::this_thread::sleep_for(std::chrono::duration<double>(delay(random)));
        process.send(SIGKILL);
      }
      const Ended ended = process.wait();
      SCOPED_TRACE("seed " + std::to_string(seed) + ", kill " + std::to_string(done) + "\n" + ended.err);
      const int64_t before = newest;
      newest = expect_sound_checkpoints(out);
      EXPECT_GE(newest, before) << "a checkpoint that was there is lost";
      EXPECT_FALSE(says(ended, "passed over"));
      if (says(ended, "resumed from")) {
        EXPECT_TRUE(says(ended, ": step " + std::to_string(before) + " of ")) << before;
      }
      finished = ended.signal != SIGKILL;
      if (finished) {
        ASSERT_EQ(ended.code, 0);
      } else {
        ++done;
        if (newest > 0) ++after_a_checkpoint;
        if (fs::exists(out) && !unfinished(out).empty()) ++within_a_save;
      }
    }
    EXPECT_EQ(final_bits(out), undisturbed().at_end);
    fs::remove_all(out);
  }
  std::printf("%d kills over %d runs of %.2f s: %d with a checkpoint there, %d with a save begun\n", done, runs,
              undisturbed().seconds, after_a_checkpoint, within_a_save);
}

TEST(Faults, ASignalSavesTheLastFinishedStep) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    SCOPED_TRACE(strsignal(signal));
    const fs::path out = empty_folder("signal_" + std::to_string(signal)), metrics = out / "metrics.jsonl";
    const auto lines = [&] {
      const std::string text = read(metrics);
      return std::count(text.begin(), text.end(), '\n');
    };
    // One line for each step, and no save but the one that the signal asks for.
    Process process(fault_run(out, {"logging_steps=1", "save_steps=1000"}));
    ASSERT_TRUE(wait_until(kLongEnough, [&] { return lines() >= 4; })) << process.wait().err;
    const auto sent = std::chrono::steady_clock::now();
    process.send(signal);
    const Ended ended = process.wait();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - sent;
    EXPECT_LT(took.count(), 10);
    EXPECT_EQ(ended.code, 128 + signal) << ended.err;
    const int64_t last = lines();
    ASSERT_LT(last, kLastStep) << "the signal came too late for the test";
    EXPECT_TRUE(says(ended, "stopped by signal " + std::to_string(signal) + " after step " + std::to_string(last)))
        << ended.err;
    const auto saved = checkpoints(out);
    ASSERT_EQ(saved.size(), 1U);
    EXPECT_EQ(saved.begin()->first, last);
    EXPECT_EQ(fault_of(saved.begin()->second), "");
    std::printf("signal %d: left %.0f ms later, after step %lld\n", signal, 1e3 * took.count(),
                static_cast<long long>(last));
    expect_same_end(out, last);
  }
}

/// A limit on the size of files refuses writes as a full disk does, and any container has it. (No space at each single
/// system call of a save is a test of formats/.)
TEST(Faults, AWriteThatIsRefusedEndsTheRunAndTheLastCheckpointStands) {
  const fs::path last = undisturbed().folder / "checkpoint-24";
  const rlim_t model = fs::file_size(last / "model.safetensors"),
               optimizer = fs::file_size(last / "optimizer.safetensors");
  ASSERT_LT(model, optimizer);
  const std::pair<const char*, rlim_t> cases[] = {{"run_manifest.json", 0},
                                                  {"tmp-checkpoint-28/model.safetensors", model - 1},
                                                  {"tmp-checkpoint-28/optimizer.safetensors", model},
                                                  {"tmp-checkpoint-28/optimizer.safetensors", optimizer - 1}};
  const fs::path out = cut_off("full", {24});
  for (const auto& [file, limit] : cases) {
    SCOPED_TRACE(std::string(file) + " at " + std::to_string(limit) + " bytes");
    const Ended ended = Process(fault_run(out), limit).wait();
    EXPECT_EQ(ended.code, 1) << "ended by signal " << ended.signal << ", " << ended.err;
    EXPECT_TRUE(says(ended, "error: [" + (out / file).string() + "]")) << ended.err;
    EXPECT_TRUE(says(ended, strerror(EFBIG))) << ended.err;
    EXPECT_EQ(unfinished(out), std::vector<std::string>());
    EXPECT_EQ(expect_sound_checkpoints(out), 24);
  }
  expect_same_end(out, 24);
}

TEST(Faults, OneFlippedBitInTheNewestCheckpointIsNamedAndThePreviousOneTaken) {
  std::mt19937_64 random(3);
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "trainer_state.json", "rng_state.json",
                           "config.json", "manifest.json"}) {
    const fs::path out = cut_off(std::string("flipped_") + file, {40, 44}), damaged = out / "checkpoint-44" / file;
    std::string bytes = read(damaged);
    const size_t bit = random() % (8 * bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    write(damaged, bytes);
    SCOPED_TRACE(damaged.string() + ", bit " + std::to_string(bit));
    const Ended ended = Process(fault_run(out)).wait();
    ASSERT_EQ(ended.code, 0) << ended.err;
    std::smatch line;
    ASSERT_TRUE(std::regex_search(ended.err, line, std::regex("passed over [^\n]*checkpoint-44[^\n]*"))) << ended.err;
    EXPECT_NE(line.str().find(file), std::string::npos) << line.str();
    EXPECT_TRUE(says(ended, "checkpoint-40: step 40 of ")) << ended.err;
    EXPECT_EQ(expect_sound_checkpoints(out), kLastStep) << "the damaged one was written again";
    EXPECT_EQ(final_bits(out), undisturbed().at_end);
  }
}

TEST(Faults, NumbersThatOverflowStopTheRunAndDoNotReachTheWeights) {
  // The first step sends the weights to 1e30, every loss after it overflows.
  const fs::path out = empty_folder("overflow");
  const Ended ended = Process(fault_run(out, {"learning_rate=1e30", "max_nan_steps=10", "save_steps=1"})).wait();
  EXPECT_EQ(ended.code, 70) << "ended by signal " << ended.signal << ", " << ended.err;
  EXPECT_TRUE(std::regex_search(ended.err, std::regex("warning: step 2: (loss|[a-z_0-9.]+\\.(weight|bias)) is not "
                                                      "finite; weights unchanged")))
      << ended.err;
  EXPECT_TRUE(says(ended, "stopped: 10 steps in a row were not finite")) << ended.err;
  const auto saved = checkpoints(out);
  ASSERT_GE(saved.size(), 9U);
  const Bits first = bits_of(saved.at(1));
  for (const auto& [step, folder] : saved) {
    EXPECT_EQ(fault_of(folder), "") << folder;
    EXPECT_EQ(bits_of(folder), first) << "step " << step << " was skipped";
  }
  size_t values = 0;
  float largest = 0;
  for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
    for (const auto& [name, tensor] : values_of(saved.rbegin()->second / file)) {
      values += tensor.size();
      EXPECT_TRUE(std::ranges::all_of(tensor, [](float v) { return std::isfinite(v); })) << file << " " << name;
      for (const float v : tensor) largest = std::max(largest, std::abs(v));
    }
  }
  EXPECT_GT(values, 60000U) << "23,491 parameters, each with two moments";
  EXPECT_GT(largest, 1e29F) << "the first step was taken";
}

/// Processor time, not the clock's: what else the machine does must not decide.
TEST(Startup, HelpTakesUnder20MillisecondsOfProcessorTime) {
  std::vector<double> seconds;
  for (int run = 0; run < 20; ++run) {
    const Ended ended = Process({"--help"}).wait();
    ASSERT_EQ(ended.code, 0) << ended.err;
    seconds.push_back(ended.cpu_seconds);
  }
  std::ranges::sort(seconds);
  std::printf("suanli --help: median %.1f ms, least %.1f ms, most %.1f ms\n", 1e3 * seconds[10], 1e3 * seconds[0],
              1e3 * seconds[19]);
  EXPECT_LT(seconds[10], 0.020);
}

}  // namespace
}  // namespace suanli::e2e
