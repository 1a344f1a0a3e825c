/// `--profile` on a verb: a trace that a reader of Chrome's format understands, a table, and the same results as
/// without.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "e2e/fault_run.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

struct Slice {
  std::string name, category;
  double start = 0, end = 0;  // microseconds
  int64_t track = 0;
  Json arguments;
};

std::vector<Slice> slices_of(const fs::path& file) {
  const Json trace = read_json(file);
  std::vector<Slice> out;
  for (const Json& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    const double start = event.at("ts"), duration = event.at("dur");
    out.push_back({event.at("name"), event.at("cat"), start, start + duration, event.at("tid"), event.at("args")});
  }
  return out;
}

int64_t count_of(const std::vector<Slice>& slices, const std::string& name) {
  return std::ranges::count(slices, name, &Slice::name);
}

/// On each track slices follow or hold one another, as viewers demand; the first of them holds all of its track.
void expect_nested(const std::vector<Slice>& slices) {
  constexpr double kHalfNanosecond = 5e-4;  // times are doubles
  std::map<int64_t, std::vector<double>> ends;
  for (const Slice& slice : slices) {
    std::vector<double>& open = ends[slice.track];
    while (!open.empty() && open.back() <= slice.start + kHalfNanosecond) open.pop_back();
    if (!open.empty()) {
      EXPECT_LE(slice.end, open.back() + kHalfNanosecond) << slice.name;
    }
    open.push_back(slice.end);
  }
}

std::set<std::string> kernels_of_the_registry() {
  std::set<std::string> out;
  const std::string list = suanli("doctor --kernels").out;
  for (size_t begin = 0; begin < list.size(); begin = list.find('\n', begin) + 1) {
    out.insert(list.substr(begin, list.find(' ', begin) - begin));
  }
  return out;
}

std::string some_lines() {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += i % 2 == 0 ? "good film\n" : "bad story and more of it\n";
  return lines;
}

TEST(ProfileOfPredict, NamesEveryKernelWithItsWorkAndLeavesTheAnswersAlone) {
  const fs::path file = scratch("profile_predict") / "trace.json";
  const std::string arguments = "predict --model " + small_classifier().string();
  const ProgramRun plain = suanli(arguments, some_lines());
  const ProgramRun run = suanli(arguments + " --profile " + file.string(), some_lines());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, plain.out);
  const std::vector<Slice> slices = slices_of(file);
  expect_nested(slices);
  ASSERT_FALSE(slices.empty());
  EXPECT_EQ(slices.front().name, "predict");
  for (const char* phase : {"load model", "tokenize", "forward"}) EXPECT_GE(count_of(slices, phase), 1) << phase;
  const auto known = kernels_of_the_registry();
  double kernels = 0;
  for (const Slice& slice : slices) {
    EXPECT_GE(slice.start, slices.front().start);
    EXPECT_LE(slice.end, slices.front().end + 1e-3);
    if (slice.category != "kernel") continue;
    kernels += slice.end - slice.start;
    EXPECT_TRUE(known.contains(slice.name)) << slice.name;
    for (const char* key : {"implementation", "shape", "dtype", "flop", "bytes"}) {
      EXPECT_TRUE(slice.arguments.contains(key)) << slice.name << " " << key;
    }
    if (slice.name == "matmul") {
      EXPECT_GT(slice.arguments["share_of_peak"].get<double>(), 0);
    }
  }
  EXPECT_GE(count_of(slices, "matmul"), 2 * 4) << "two layers of four products";
  EXPECT_EQ(count_of(slices, "attention.forward"), 2);
  EXPECT_GT(kernels, 0);
  EXPECT_LE(kernels, slices.front().end - slices.front().start);
  EXPECT_LE(1e-6 * slices.front().end, run.seconds);
  EXPECT_NE(run.err.find("of the limit"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("\nmatmul "), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("outside kernels: "), std::string::npos) << run.err;
}

class ProfileOfTrain : public testing::Test {
 protected:
  void SetUp() override { folder_ = empty_folder(testing::UnitTest::GetInstance()->current_test_info()->name()); }
  std::vector<std::string> profiled(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = fault_run(folder_ / "out", more);
    words.insert(words.end(), {"--profile", (folder_ / "trace.json").string()});
    return words;
  }
  fs::path folder_;
};

TEST_F(ProfileOfTrain, ShowsThePhasesOfEveryStepAndChangesNoBitOfTheRun) {
  const Ended ended = Process(profiled()).wait();
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(final_bits(folder_ / "out"), undisturbed().at_end);
  EXPECT_FALSE(read_json(folder_ / "out" / "run_manifest.json")["configuration"].contains("profile"));
  const std::vector<Slice> slices = slices_of(folder_ / "trace.json");
  expect_nested(slices);
  EXPECT_EQ(count_of(slices, "step"), kLastStep);
  EXPECT_EQ(count_of(slices, "optimizer"), kLastStep);
  EXPECT_EQ(count_of(slices, "checkpoint"), kLastStep / kSaveSteps);
  EXPECT_GE(count_of(slices, "forward"), kLastStep);
  EXPECT_EQ(count_of(slices, "backward"), count_of(slices, "forward"));
  EXPECT_GE(count_of(slices, "data"), count_of(slices, "forward"));
  EXPECT_GE(count_of(slices, "attention.backward"), kLastStep);
  EXPECT_GE(count_of(slices, "adamw_step"), kLastStep);
  std::set<int64_t> tracks;
  for (const Slice& slice : slices) tracks.insert(slice.track);
  EXPECT_EQ(tracks.size(), 2U) << "the thread that makes batches has its own";
}

TEST_F(ProfileOfTrain, ASignalLeavesAWholeTraceAndARunThatResumes) {
  Process process(profiled());
  ASSERT_TRUE(wait_until(60, [&] { return !checkpoints(folder_ / "out").empty(); }));
  process.send(SIGTERM);
  const Ended ended = process.wait();
  ASSERT_EQ(ended.code, 128 + SIGTERM) << ended.err;
  const std::vector<Slice> slices = slices_of(folder_ / "trace.json");
  expect_nested(slices);
  EXPECT_GE(count_of(slices, "step"), kSaveSteps);
  ASSERT_EQ(Process(fault_run(folder_ / "out")).wait().code, 0);
  EXPECT_EQ(final_bits(folder_ / "out"), undisturbed().at_end);
}

TEST_F(ProfileOfTrain, ATraceThatFindsNoRoomIsAnErrorAndTheResultsStand) {
  constexpr rlim_t kMoreThanAnyCheckpointFile = rlim_t{1} << 20;
  const Ended ended = Process(profiled(), kMoreThanAnyCheckpointFile).wait();
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("trace.json"), std::string::npos) << ended.err;
  EXPECT_FALSE(fs::exists(folder_ / "trace.json"));
  EXPECT_EQ(final_bits(folder_ / "out"), undisturbed().at_end);
}

TEST(Profile, OfARunThatFailsIsWrittenAllTheSame) {
  const fs::path file = scratch("profile_failed") / "trace.json";
  const ProgramRun run = suanli("predict --model /nowhere/at/all profile=" + file.string(), "x\n");
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("/nowhere/at/all"), std::string::npos) << run.err;
  EXPECT_EQ(count_of(slices_of(file), "predict"), 1);
}

TEST(Profile, WithoutANameGoesToProfileJson) {
  const fs::path folder = scratch("profile_without_name"), before = fs::current_path();
  fs::current_path(folder);
  const ProgramRun last = suanli("tokenize --model " + small_classifier().string() + " --profile", "good film\n");
  const bool made_by_last = fs::remove(folder / "profile.json");
  const ProgramRun first = suanli("tokenize --profile --model " + small_classifier().string(), "good film\n");
  const bool made_by_first = fs::remove(folder / "profile.json");
  const ProgramRun middle = suanli("tokenize --profile model=" + small_classifier().string(), "good film\n");
  fs::current_path(before);
  EXPECT_EQ(last.code + first.code + middle.code, 0) << last.err << first.err << middle.err;
  EXPECT_TRUE(made_by_last && made_by_first && fs::exists(folder / "profile.json"));
}

TEST(Profile, AFileThatCannotBeWrittenIsSaidBeforeTheRun) {
  const std::string model = small_classifier().string();
  for (const std::string file : {"/nowhere/at/all/trace.json", "/dev/null", "/tmp", "\"\""}) {
    const ProgramRun run = suanli("tokenize --model " + model + " --profile " + file, "good film\n");
    EXPECT_EQ(run.code, 2) << file;
    EXPECT_EQ(run.out, "") << file;
    EXPECT_NE(run.err.find("[profile]"), std::string::npos) << run.err;
  }
}

TEST(Profile, IsInTheHelpOfEveryVerb) {
  for (const char* verb : {"train", "eval", "predict", "embed", "tokenize", "doctor", "bench"}) {
    EXPECT_NE(suanli(std::string(verb) + " --help").out.find("--profile"), std::string::npos) << verb;
  }
}

TEST(Profile, OfBenchShowsEveryTimedCall) {
  const fs::path file = scratch("profile_bench") / "trace.json";
  const ProgramRun run =
      suanli("bench ops --filter matmul/sentence_16_up/f32 --seconds 0.05 --profile " + file.string());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_GE(count_of(slices_of(file), "matmul"), 4) << "one to warm up, three at least to be timed";
}

}  // namespace
}  // namespace suanli::e2e
