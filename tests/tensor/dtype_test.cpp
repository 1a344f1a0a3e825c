// Element types: sizes, names, and the 16-bit floats against the definition of rounding.
#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace suanli {
namespace {

TEST(DType, SizesAndNames) {
  EXPECT_EQ(size_of(DType::f64), 8);
  EXPECT_EQ(size_of(DType::f32), 4);
  EXPECT_EQ(size_of(DType::bf16), 2);
  EXPECT_EQ(size_of(DType::f16), 2);
  EXPECT_EQ(size_of(DType::i8), 1);
  EXPECT_EQ(size_of(DType::u8), 1);
  EXPECT_EQ(size_of(DType::i32), 4);
  EXPECT_EQ(size_of(DType::i64), 8);
  EXPECT_EQ(size_of(DType::boolean), 1);
  EXPECT_STREQ(name_of(DType::bf16), "bf16");
  EXPECT_STREQ(name_of(DType::boolean), "bool");
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64}) EXPECT_TRUE(is_floating(dtype));
  for (const DType dtype : {DType::i8, DType::u8, DType::i32, DType::i64, DType::boolean}) {
    EXPECT_FALSE(is_floating(dtype));
    EXPECT_FALSE(dispatch_floating(dtype, []<class T>() { FAIL(); }));
  }
}

TEST(DType, DispatchGivesTheTypeOfItsSize) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64}) {
    bool called = false;
    EXPECT_TRUE(dispatch_floating(
        dtype, [&]<class T>() { called = dtype_of<T> == dtype && static_cast<int64_t>(sizeof(T)) == size_of(dtype); }));
    EXPECT_TRUE(called);
  }
}

// All 2^16 patterns survive the way to f32 and back; a NaN stays a NaN.
template <class Half>
void expect_round_trip() {
  for (uint32_t pattern = 0; pattern < 65536; ++pattern) {
    Half half;
    half.bits = static_cast<uint16_t>(pattern);
    const auto value = static_cast<float>(half);
    const Half back(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(static_cast<float>(back))) << pattern;
    } else {
      ASSERT_EQ(back.bits, pattern) << value;
    }
  }
}
TEST(DType, EveryBfloat16SurvivesTheWayThroughF32) { expect_round_trip<bfloat16>(); }
TEST(DType, EveryFloat16SurvivesTheWayThroughF32) { expect_round_trip<float16>(); }

/// f32 patterns that meet every case of rounding: each exponent, with mantissas around all ties of 8 and 11 digits.
std::vector<float> telling_values() {
  std::vector<float> values;
  for (uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (uint32_t high = 0; high < 1024; high += 31) {
      for (const uint32_t low : {0x0000U, 0x0001U, 0x0fffU, 0x1000U, 0x1001U, 0x1fffU}) {
        const uint32_t bits = exponent << 23 | high << 13 | low;
        values.push_back(std::bit_cast<float>(bits));
        values.push_back(std::bit_cast<float>(bits | 0x80000000U));
      }
    }
    for (const uint32_t low : {0x7fffU, 0x8000U, 0x8001U, 0x17fffU, 0x18000U, 0x18001U, 0x7fffffU}) {
      values.push_back(std::bit_cast<float>(exponent << 23 | low));
    }
  }
  return values;
}

/// Rounds to `digits` binary digits with ties to even, exponents of at least `least`, as the standard defines it.
double rounded(double value, int digits, int least, double limit) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::ldexp(1.0, std::max(std::ilogb(value), least) - digits + 1);
  const double result = std::nearbyint(value / unit) * unit;
  return std::abs(result) >= limit ? std::copysign(std::numeric_limits<double>::infinity(), value) : result;
}

TEST(DType, F32ToBfloat16RoundsToNearestEven) {
  for (const float value : telling_values()) {
    const auto got = static_cast<float>(bfloat16(value));
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(got));
    } else {
      ASSERT_EQ(got, rounded(value, 8, -126, 0x1p128)) << value;
      ASSERT_EQ(std::signbit(got), std::signbit(value));
    }
  }
}

TEST(DType, F32ToFloat16RoundsToNearestEven) {
  for (const float value : telling_values()) {
    const auto got = static_cast<float>(float16(value));
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(got));
    } else {
      ASSERT_EQ(got, rounded(value, 11, -14, 65520)) << value;
      ASSERT_EQ(std::signbit(got), std::signbit(value));
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("f16c"))) uint16_t hardware_half(float value) {
  return static_cast<uint16_t>(_mm_extract_epi16(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT), 0));
}
__attribute__((target("f16c"))) float hardware_float(uint16_t bits) {
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

// A file written on one machine must read the same on another: our conversion and the CPU's agree bit by bit.
TEST(DType, Float16AgreesWithTheCpu) {
  if (__builtin_cpu_supports("f16c")) {
    for (const float value : telling_values()) ASSERT_EQ(float16(value).bits, hardware_half(value)) << value;
    for (uint32_t pattern = 0; pattern < 65536; ++pattern) {
      float16 half;
      half.bits = static_cast<uint16_t>(pattern);
      const float ours = half, theirs = hardware_float(half.bits);
      if (std::isnan(theirs)) {
        ASSERT_TRUE(std::isnan(ours));
      } else {
        ASSERT_EQ(std::bit_cast<uint32_t>(ours), std::bit_cast<uint32_t>(theirs)) << pattern;
      }
    }
  } else {
    EXPECT_EQ(float16(1.5F).bits, 0x3e00);  // the two tests above hold the definition; there is no second opinion here
  }
}
#endif

}  // namespace
}  // namespace suanli
