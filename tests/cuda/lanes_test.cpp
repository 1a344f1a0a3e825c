/// Lanes of a warp: where they part and meet, calls, and what they tell each other.
#include <gtest/gtest.h>

#include <numeric>

#include "probe.h"

namespace {

using probe::Device;

std::vector<int> numbers(size_t count, int factor, int modulus) {
  std::vector<int> out(count);
  for (size_t k = 0; k < count; ++k) out[k] = static_cast<int>(k) * factor % modulus - modulus / 3;
  return out;
}

TEST(Lanes, EachRunsItsOwnTurnsOfALoop) {
  Device device(probe::ptx_text("lanes"));
  const uint64_t out = device.memory.allocate(50 * sizeof(int));
  device.launch("divergent_loops", {1}, {50}, 0, out);
  const std::vector<int> got = device.get<int>(out, 50);
  for (int thread = 0; thread < 50; ++thread) {
    int sum = 0;
    for (int i = 0; i < thread % 7; ++i) {
      for (int j = i; j < thread % 5; ++j) sum += i * 10 + j;
      if (sum > 40) break;
    }
    EXPECT_EQ(got[thread], sum) << thread;
  }
}

TEST(Lanes, MeetAfterACallThatSomeMade) {
  Device device(probe::ptx_text("lanes"));
  const uint64_t out = device.memory.allocate(32 * sizeof(int)), together = device.memory.allocate(32 * sizeof(int));
  device.launch("divergent_calls", {1}, {32}, 0, out, together);
  const auto got = device.get<int>(out, 32);
  for (int lane = 0; lane < 32; ++lane) {
    int steps = 0;
    for (int n = lane + 1; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    EXPECT_EQ(got[lane], lane % 3 == 0 ? -1 : steps) << lane;
  }
  EXPECT_EQ(device.get<uint32_t>(together, 32), std::vector<uint32_t>(32, ~0u));
}

TEST(Lanes, Shuffle) {
  Device device(probe::ptx_text("lanes"));
  const std::vector<int> in = numbers(32, 17, 101);
  uint64_t out[4];
  for (uint64_t& o : out) o = device.memory.allocate(32 * sizeof(int));
  device.launch("shuffles", {1}, {32}, 0, device.put(in), out[0], out[1], out[2], out[3]);
  const auto down = device.get<int>(out[0], 32), up = device.get<int>(out[1], 32),
             exchanged = device.get<int>(out[2], 32), eights = device.get<int>(out[3], 32);
  for (int lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(down[lane], in[lane + 3 < 32 ? lane + 3 : lane]);
    EXPECT_EQ(up[lane], in[lane >= 5 ? lane - 5 : lane]);
    EXPECT_EQ(exchanged[lane], in[lane ^ 9]);
    EXPECT_EQ(eights[lane], in[lane / 8 * 8 + lane / 2 % 8]);
  }
}

TEST(Lanes, AShuffleFromALaneThatLeftIsFound) {
  Device device(probe::ptx_text("lanes"));
  const uint64_t out = device.memory.allocate(32 * sizeof(int));
  EXPECT_NE(
      device.finding("shuffle_from_a_lane_that_left", {1}, {32}, 0, out).find("reads lane 8, which does not take part"),
      std::string::npos);
}

TEST(Lanes, AnAssertionThatDoesNotHoldIsFound) {
  Device device(probe::ptx_text("lanes"));
  EXPECT_EQ(device.finding("assertion", {1}, {32}, 0, 32), "");
  EXPECT_NE(device.finding("assertion", {1}, {32}, 0, 31).find("thread (31,0,0)"), std::string::npos);
}

TEST(Lanes, VoteMatchAndReduce) {
  Device device(probe::ptx_text("lanes"));
  const std::vector<int> in = numbers(32, 7, 12);
  const uint64_t out = device.memory.allocate(192 * sizeof(int));
  device.launch("votes", {1}, {32}, 0, device.put(in), out);
  const auto got = device.get<uint32_t>(out, 192);
  uint32_t positive = 0;
  for (int k = 0; k < 32; ++k) positive |= uint32_t{in[k] > 0} << k;
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t same = 0;
    for (int k = 0; k < 32; ++k) same |= uint32_t{in[k] == in[lane]} << k;
    EXPECT_EQ(got[lane], positive);
    EXPECT_EQ(got[32 + lane], same);
    EXPECT_EQ(got[64 + lane], 2u);
    EXPECT_EQ(static_cast<int>(got[96 + lane]), std::accumulate(in.begin(), in.end(), 0));
    EXPECT_EQ(static_cast<int>(got[128 + lane]), *std::min_element(in.begin(), in.end()));
    EXPECT_EQ(got[160 + lane], lane < 16 ? positive & 0xffff : 0);
  }
}

TEST(Lanes, StructsByValueSwitchesAndLocalArrays) {
  Device device(probe::ptx_text("lanes"));
  struct Weights {
    float of[6];
    int offset;
  } w = {{1, 2, 4, 8, 16, 32}, 3};
  std::vector<int> kind(64);
  for (size_t k = 0; k < kind.size(); ++k) kind[k] = static_cast<int>(k * 5 % 6);
  const uint64_t out = device.memory.allocate(64 * sizeof(float));
  device.launch("by_value", {1}, {64}, 0, w, device.put(kind), out);
  const auto got = device.get<float>(out, 64);
  for (int thread = 0; thread < 64; ++thread) {
    const float v = w.of[(kind[thread] + 3) % 6] * static_cast<float>(thread);
    const float expected[] = {v + 100, v * 2, -v, v - 7, v / 4, v};
    EXPECT_EQ(got[thread], expected[kind[thread]]) << thread;
  }
}

}  // namespace
