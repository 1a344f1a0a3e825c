/// Fragments of mma and ldmatrix against plain loops, and cp.async against its waits.
#include <gtest/gtest.h>

#include "probe.h"
#include "ptx/float_format.h"

namespace {

using probe::Device;

/// Small integers, no two neighbours alike: products and sums are exact in every type, so a wrong lane shows as a wrong
/// number.
template <class T>
std::vector<T> small(size_t count, int factor) {
  std::vector<T> out(count);
  for (size_t k = 0; k < count; ++k) out[k] = static_cast<T>(static_cast<int>(k * factor % 23) - 11);
  return out;
}

/// C [rows, columns] of A [rows, depth] and B [depth, columns].
template <class T, class A>
std::vector<T> product(const std::vector<A>& a, const std::vector<A>& b, int rows, int columns, int depth,
                       bool b_transposed = false) {
  std::vector<T> c(rows * columns, 0);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      for (int k = 0; k < depth; ++k)
        c[i * columns + j] +=
            static_cast<T>(a[i * depth + k]) * static_cast<T>(b_transposed ? b[j * depth + k] : b[k * columns + j]);
    }
  }
  return c;
}

template <class T, class A>
std::vector<T> on_device(const std::string& kernel, const std::vector<A>& a, const std::vector<A>& b, size_t count) {
  Device device(probe::ptx_text("matrices"));
  const uint64_t out = device.memory.allocate(count * sizeof(T));
  device.launch(kernel, {1}, {32}, 0, device.put(a), device.put(b), out);
  return device.get<T>(out, count);
}

template <class Format>
std::vector<uint16_t> narrowed(const std::vector<float>& values) {
  std::vector<uint16_t> out;
  for (const float v : values) out.push_back(ptx::narrow<Format>(v).bits);
  return out;
}

TEST(Matrices, SixteenBitFragmentsThroughLdmatrix) {
  const auto a = small<float>(256, 7), b = small<float>(128, 5);
  const auto expected = product<float>(a, b, 16, 8, 16);
  EXPECT_EQ(on_device<float>("product_bf16", narrowed<ptx::BFloat>(a), narrowed<ptx::BFloat>(b), 128), expected);
  EXPECT_EQ(on_device<float>("product_f16", narrowed<ptx::Half>(a), narrowed<ptx::Half>(b), 128), expected);
}

TEST(Matrices, AWrongFragmentLaneGivesAnotherProduct) {
  const auto a = small<float>(256, 7), b = small<float>(128, 5);
  EXPECT_NE(on_device<float>("product_with_a_wrong_lane", narrowed<ptx::BFloat>(a), narrowed<ptx::BFloat>(b), 128),
            product<float>(a, b, 16, 8, 16));
}

TEST(Matrices, Tf32Int8AndF64Fragments) {
  const auto a = small<float>(128, 7), b = small<float>(64, 5);
  EXPECT_EQ(on_device<float>("product_tf32", a, b, 128), product<float>(a, b, 16, 8, 8));
  const auto x = small<int8_t>(512, 9), y = small<int8_t>(256, 13);
  EXPECT_EQ(on_device<int>("product_s8", x, y, 128), product<int>(x, y, 16, 8, 32, true));
  const auto p = small<double>(32, 3), q = small<double>(32, 8);
  EXPECT_EQ(on_device<double>("product_f64", p, q, 64), product<double>(p, q, 8, 8, 4));
}

/// Four 8 x 8 matrices, read transposed by ldmatrix and written as they are by stmatrix (which nvcc makes for newer
/// machines alone).
TEST(Matrices, StmatrixIsTheInverseOfLdmatrix) {
  Device device(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry transpose(.param .u64 in, .param .u64 out) {
  .reg .b32 %r<10>; .reg .b64 %rd<4>; .shared .align 16 .b8 s[1024];
  mov.u32 %r0, %tid.x; shl.b32 %r1, %r0, 4; mov.u32 %r2, s; add.u32 %r3, %r2, %r1;
  ld.param.u64 %rd0, [in]; mad.wide.u32 %rd0, %r0, 16, %rd0; ld.param.u64 %rd1, [out]; mad.wide.u32 %rd1, %r0, 16, %rd1;
  ld.global.v4.b32 {%r4,%r5,%r6,%r7}, [%rd0]; st.shared.v4.b32 [%r3], {%r4,%r5,%r6,%r7}; bar.warp.sync -1;
  ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r4,%r5,%r6,%r7}, [%r3];
  stmatrix.sync.aligned.m8n8.x4.shared.b16 [%r3+512], {%r4,%r5,%r6,%r7}; bar.warp.sync -1;
  ld.shared.v4.b32 {%r4,%r5,%r6,%r7}, [%r3+512]; st.global.v4.b32 [%rd1], {%r4,%r5,%r6,%r7};
  ret;
})");
  const auto in = small<int16_t>(256, 7);
  const uint64_t out = device.memory.allocate(512);
  device.launch("transpose", {1}, {32}, 0, device.put(in), out);
  const auto got = device.get<int16_t>(out, 256);
  for (int k = 0; k < 256; ++k) EXPECT_EQ(got[k], in[k / 64 * 64 + k % 8 * 8 + k / 8 % 8]) << k;
}

TEST(Matrices, CopiesInFlightArriveAtTheirWait) {
  Device device(probe::ptx_text("copies"));
  const int tiles = 5, last = 50;
  const auto in = small<float>(4 * 128 + last, 11);
  const uint64_t source = device.put(in), out = device.memory.allocate(128 * sizeof(float));
  device.launch("sum_of_tiles_right", {1}, {32}, 0, source, tiles, last, out);
  const auto got = device.get<float>(out, 128);
  for (int i = 0; i < 128; ++i) {
    float sum = 0;
    for (int tile = 0; tile < tiles; ++tile) sum += tile + 1 < tiles || i < last ? in[tile * 128 + i] : 0;
    EXPECT_EQ(got[i], sum) << i;
  }
}

TEST(Matrices, ADroppedWaitIsFound) {
  Device device(probe::ptx_text("copies"));
  const uint64_t source = device.put(small<float>(5 * 128, 11)), out = device.memory.allocate(128 * sizeof(float));
  const std::string finding = device.finding("sum_of_tiles_without_wait", {1}, {32}, 0, source, 5, 128, out);
  EXPECT_NE(finding.find("that a cp.async may still be writing: no wait since"), std::string::npos) << finding;
}

}  // namespace
