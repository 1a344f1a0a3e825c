/// A profile holds every scope of its time, in the order and nesting in which they ran, in bounded memory.
#include "base/profile.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "base/json.h"
#include "base/profile_trace.h"

namespace suanli {
namespace {

Work some_work() { return {.shape = "N=10", .dtype = "f32", .flops = 100, .bytes = 40}; }

void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

const ProfileTotal& total_of(const Profile& profile, const std::string& name) {
  const auto found = std::ranges::find(profile.totals, name, &ProfileTotal::name);
  if (found == profile.totals.end()) throw std::runtime_error("no total of " + name);
  return *found;
}

int64_t end_of(const ProfileEvent& event) { return event.start + event.duration; }

TEST(Profiler, RecordsNothingAndAsksForNoWorkWhileItIsOff) {
  bool asked = false;
  const auto work = [&asked] {
    asked = true;
    return some_work();
  };
  { const ProfileScope before("kernel", "simd", work); }
  start_profile();
  const Profile profile = stop_profile();
  { const ProfileScope after("kernel", "simd", work); }
  EXPECT_FALSE(asked);
  EXPECT_TRUE(profile.events.empty());
  EXPECT_TRUE(profile.totals.empty());
  EXPECT_EQ(profile.left_out, 0);
}

TEST(Profiler, ScopesNestAndAddUp) {
  start_profile();
  {
    const ProfileScope outer("step");
    for (int i = 0; i < 3; ++i) {
      const ProfileScope inner("matmul", "simd", some_work);
      wait_a_little();
    }
  }
  const Profile profile = stop_profile();
  ASSERT_EQ(profile.events.size(), 4U);
  const ProfileEvent& outer = profile.events[0];
  EXPECT_STREQ(outer.name, "step");
  int64_t before = outer.start;
  for (size_t i = 1; i < 4; ++i) {
    const ProfileEvent& inner = profile.events[i];
    EXPECT_STREQ(inner.name, "matmul");
    EXPECT_STREQ(inner.implementation, "simd");
    EXPECT_EQ(inner.work.shape, "N=10");
    EXPECT_GE(inner.start, before);
    EXPECT_GE(inner.duration, 2'000'000);
    EXPECT_LE(end_of(inner), end_of(outer));
    before = end_of(inner);
  }
  EXPECT_EQ(profile.totals.front().name, "step") << "the costliest first";
  const ProfileTotal& matmul = total_of(profile, "matmul");
  EXPECT_EQ(matmul.calls, 3);
  EXPECT_EQ(matmul.flops, 300);
  EXPECT_EQ(matmul.bytes, 120);
  EXPECT_DOUBLE_EQ(matmul.seconds, profile.kernel_seconds);
  EXPECT_LE(total_of(profile, "step").seconds, profile.seconds);
}

TEST(Profiler, ImplementationsAndDtypesHaveTotalsOfTheirOwn) {
  start_profile();
  { const ProfileScope scope("matmul", "simd", some_work); }
  { const ProfileScope scope("matmul", "amx", some_work); }
  {
    const ProfileScope scope("matmul", "amx", [] { return Work{.shape = "", .dtype = "bf16"}; });
  }
  EXPECT_EQ(stop_profile().totals.size(), 3U);
}

TEST(Profiler, TheCapHoldsAndTotalsGoOnCounting) {
  start_profile(3);
  {
    const ProfileScope outer("step");
    for (int i = 0; i < 10; ++i) {
      const ProfileScope inner("matmul", "simd", some_work);
      wait_a_little();
    }
  }
  const Profile profile = stop_profile();
  ASSERT_EQ(profile.events.size(), 3U);
  EXPECT_EQ(profile.left_out, 8);
  EXPECT_EQ(total_of(profile, "matmul").calls, 10);
  EXPECT_GE(profile.events[0].duration, 20'000'000) << "what lies around the cut is whole";
}

TEST(Profiler, KernelTimeIsCountedOnceAndOnTheStartingThreadAlone) {
  start_profile();
  {
    const ProfileScope outer("attention", "simd", some_work);
    const ProfileScope inner("matmul", "simd", some_work);
    std::thread([] {
      const ProfileScope beside("matmul", "simd", some_work);
      wait_a_little();
    }).join();
  }
  const Profile profile = stop_profile();
  EXPECT_DOUBLE_EQ(profile.kernel_seconds, total_of(profile, "attention").seconds);
  EXPECT_NE(profile.events[2].thread, profile.events[0].thread);
}

TEST(Profiler, ThreadsRecordAtOnceAndKeepTheirOrder) {
  constexpr int kThreads = 4, kScopes = 500;
  start_profile();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      for (int scope = 0; scope < kScopes; ++scope) const ProfileScope kernel("matmul", "simd", some_work);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Profile profile = stop_profile();
  ASSERT_EQ(profile.events.size(), static_cast<size_t>(kThreads * kScopes));
  EXPECT_EQ(total_of(profile, "matmul").calls, kThreads * kScopes);
  std::map<int, int64_t> last;
  for (const ProfileEvent& event : profile.events) {
    EXPECT_GE(event.start, last[event.thread]);
    last[event.thread] = end_of(event);
  }
  EXPECT_EQ(last.size(), static_cast<size_t>(kThreads));
}

TEST(Profiler, AnExceptionEndsItsScopes) {
  start_profile();
  try {
    const ProfileScope scope("step");
    throw std::runtime_error("full disk");
  } catch (const std::runtime_error&) {
    wait_a_little();
  }
  const Profile profile = stop_profile();
  EXPECT_LT(1e-9 * static_cast<double>(profile.events.at(0).duration), profile.seconds - 0.001);
}

TEST(Profiler, AScopeThatOutlivesItsProfileTouchesNoOther) {
  start_profile();
  auto late = std::make_unique<ProfileScope>("late", "simd", some_work);
  const Profile first = stop_profile();
  EXPECT_GE(first.events.at(0).duration, 0) << "it ends with the profile";
  start_profile();
  late.reset();
  { const ProfileScope scope("matmul", "simd", some_work); }
  const Profile second = stop_profile();
  ASSERT_EQ(second.totals.size(), 1U);
  EXPECT_DOUBLE_EQ(second.kernel_seconds, second.totals[0].seconds);
}

TEST(ProfileTrace, IsJsonWhateverTheNames) {
  const char* names[] = {"quote\" and \\", "line\nand\ttab \x01", "not UTF-8 \xff\xfe", "attention.forward"};
  Profile profile;
  for (const char* name : names) {
    profile.events.push_back({name, name, {.shape = name, .dtype = name}, 1, 5, 7});
  }
  const Json trace = parse_json(trace_json(profile, {}, {{"cpu", names[0]}}), "trace");
  EXPECT_EQ(trace["otherData"]["cpu"], names[0]);
  ASSERT_EQ(trace["traceEvents"].size(), 2U + 4U) << "the process, one thread, four slices";
  int seen = 0;
  for (const Json& event : trace["traceEvents"]) {
    ASSERT_TRUE(event.contains("ph") && event.contains("pid") && event.contains("tid") && event.contains("name"));
    if (event["ph"] != "X") continue;
    if (seen != 2) {
      EXPECT_EQ(event["name"], names[seen]);
      EXPECT_EQ(event["args"]["shape"], names[seen]);
    }
    ++seen;
  }
  EXPECT_EQ(seen, 4);
}

TEST(ProfileTrace, GivesTimesInMicrosecondsAndSharesOfTheLimits) {
  Profile profile;
  profile.events.push_back({"predict", "", {}, 1, 0, 2'000'001});
  profile.events.push_back({"matmul", "amx", {"M=1 N=2 K=3", "bf16", 4e6, 1e6}, 1, 1'000'042, 1'000'000});
  profile.events.push_back({"matmul", "amx", {"M=1 N=2 K=3", "bf16", 4e6, 1e6}, 1, 2'000'042, 0});
  const Roofline roofline = {.flops_per_second = {{"bf16", 16e9}}, .bytes_per_second = 2e9};
  const Json trace = parse_json(trace_json(profile, roofline, Json::object()), "trace");
  std::vector<Json> slices;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") slices.push_back(event);
  }
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[0]["cat"], "phase");
  EXPECT_EQ(slices[0]["dur"], 2000.001);
  EXPECT_EQ(slices[1]["cat"], "kernel");
  EXPECT_EQ(slices[1]["ts"], 1000.042);
  EXPECT_EQ(slices[1]["dur"], 1000.0);
  const Json& arguments = slices[1]["args"];
  EXPECT_EQ(arguments["implementation"], "amx");
  EXPECT_EQ(arguments["flop"], 4e6);
  EXPECT_EQ(arguments["gflop_per_second"], 4.0);
  EXPECT_EQ(arguments["share_of_peak"], 0.25);
  EXPECT_EQ(arguments["gigabyte_per_second"], 1.0);
  EXPECT_EQ(arguments["share_of_bandwidth"], 0.5);
}

}  // namespace
}  // namespace suanli
