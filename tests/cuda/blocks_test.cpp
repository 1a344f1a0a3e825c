/// Warps of a block: barriers, shared memory, atomics; and the checks, each by a planted bug beside its correct twin.
#include <gtest/gtest.h>

#include <numeric>

#include "probe.h"

namespace {

using probe::Device;

template <class T>
std::vector<T> rising(size_t count) {
  std::vector<T> out(count);
  std::iota(out.begin(), out.end(), T{1});
  return out;
}

/// The finding names what it must; the kernel beside the bug runs without any.
void expect_found(const std::string& finding, const std::string& kernel, const std::string& what) {
  EXPECT_TRUE(finding.starts_with("[ptx] " + kernel + ", block (")) << finding;
  EXPECT_NE(finding.find(what), std::string::npos) << finding;
}

TEST(Blocks, AMissingBarrierBetweenWarpsIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<float>(512)), out = device.memory.allocate(2 * sizeof(float));
  device.launch("block_sum_right", {2}, {256}, 256 * sizeof(float), in, out);
  EXPECT_EQ(device.get<float>(out, 2), (std::vector<float>{256 * 257 / 2, 256 * 257 / 2 + 256 * 256}));
  expect_found(device.finding("block_sum_without_barrier", {2}, {256}, 256 * sizeof(float), in, out),
               "block_sum_without_barrier", "race: ");
}

TEST(Blocks, AMissingBarrierWithinAWarpIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<int>(32)), out = device.memory.allocate(32 * sizeof(int));
  EXPECT_EQ(device.finding("neighbours_right", {1}, {32}, 0, in, out), "");
  expect_found(device.finding("neighbours_without_barrier", {1}, {32}, 0, in, out), "neighbours_without_barrier",
               "race: reads shared byte");
}

TEST(Blocks, AWriteOverWhatOthersMayStillReadIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<int>(512)), out = device.memory.allocate(256 * sizeof(int));
  EXPECT_EQ(device.finding("two_tiles_right", {1}, {256}, 0, in, out), "");
  expect_found(device.finding("two_tiles_without_second_barrier", {1}, {256}, 0, in, out),
               "two_tiles_without_second_barrier", "race: ");
}

TEST(Blocks, BytesOfOneWordAreNoRace) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t out = device.memory.allocate(64);
  EXPECT_EQ(device.finding("bytes_of_a_word", {1}, {64}, 0, out), "");
  EXPECT_EQ(device.get<uint8_t>(out, 64)[1], 62 * 3);
}

TEST(Blocks, AtomicsOfManyLanesOnOneWord) {
  Device device(probe::ptx_text("blocks"));
  std::vector<int> in(1024);
  for (size_t k = 0; k < in.size(); ++k) in[k] = static_cast<int>(k * k % 11);
  std::vector<int> expected(8, 0);
  for (const int v : in) ++expected[v & 7];
  const uint64_t out = device.put(std::vector<int>(8, 0));
  device.launch("histogram", {4}, {256}, 0, device.put(in), out);
  EXPECT_EQ(device.get<int>(out, 8), expected);
}

TEST(Blocks, OneTooManyInTheTailIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<float>(300)), out = device.memory.allocate(300 * sizeof(float));
  EXPECT_EQ(device.finding("scale_right", {2}, {256}, 0, in, out, 300), "");
  EXPECT_EQ(device.get<float>(out, 300)[299], 600);
  const std::string finding = device.finding("scale_one_too_many", {2}, {256}, 0, in, out, 300);
  expect_found(finding, "scale_one_too_many", "end 4 bytes after an allocation of 1200 bytes");
  EXPECT_NE(finding.find("block (1,0,0), thread (44,0,0)"), std::string::npos) << finding;
}

TEST(Blocks, ADivergentBarrierIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t out = device.memory.allocate(64 * sizeof(int));
  expect_found(device.finding("divergent_barrier", {1}, {64}, 0, out), "divergent_barrier", "divergent: lanes 0x");
}

TEST(Blocks, BarriersThatVote) {
  Device device(probe::ptx_text("blocks"));
  std::vector<int> in(96, -3);
  in[5] = in[40] = in[95] = 2;
  const uint64_t out = device.memory.allocate(96 * sizeof(int));
  device.launch("votes_of_a_block", {1}, {96}, 0, device.put(in), out);
  EXPECT_EQ(device.get<int>(out, 96), std::vector<int>(96, 1003));
}

TEST(Blocks, ANamedBarrierOrdersTheWarpsThatUseIt) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t out = device.memory.allocate(32 * sizeof(int));
  EXPECT_EQ(device.finding("named_barrier", {1}, {128}, 0, out), "");
  EXPECT_EQ(device.get<int>(out, 32)[4], 25);
}

TEST(Blocks, ReadsOfWhatNothingWroteAreFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t out = device.memory.allocate(300 * sizeof(float)),
                 unwritten = device.memory.allocate(300 * sizeof(float));
  expect_found(device.finding("read_of_unwritten_shared", {1}, {64}, 0, out), "read_of_unwritten_shared",
               "reads shared byte 252 that nothing wrote");
  expect_found(device.finding("scale_right", {2}, {256}, 0, unwritten, out, 300), "scale_right", "never written");
}

TEST(Blocks, AMisalignedVectorLoadIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<float>(132)), out = device.memory.allocate(32 * sizeof(float));
  EXPECT_EQ(device.finding("vector_load", {1}, {32}, 0, in, 4, out), "");
  expect_found(device.finding("vector_load", {1}, {32}, 0, in, 1, out), "vector_load", "misaligned: 16 bytes");
}

TEST(Blocks, AUseAfterTheFreeIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t in = device.put(rising<float>(300)), out = device.memory.allocate(300 * sizeof(float));
  ASSERT_EQ(device.finding("scale_right", {2}, {256}, 0, in, out, 300), "");
  ASSERT_TRUE(device.memory.release(out));
  expect_found(device.finding("scale_right", {2}, {256}, 0, in, out, 300), "scale_right", "that were freed");
}

TEST(Blocks, AnAccessBeyondSharedMemoryIsFound) {
  Device device(probe::ptx_text("blocks"));
  const uint64_t out = device.memory.allocate(32 * sizeof(int));
  EXPECT_EQ(device.finding("beyond_shared", {1}, {32}, 256, out, 32), "");
  expect_found(device.finding("beyond_shared", {1}, {32}, 256, out, 33), "beyond_shared",
               "4 bytes at 256 of 256 shared bytes");
}

}  // namespace
