/// cvt against the definition of each format: a number is sign, fraction and exponent, and a rounding chooses between
/// the two neighbours.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "probe.h"

namespace {

using probe::run;

/// The value of a 16-bit pattern by the definition of the format.
double value_of(uint16_t bits, int fraction_bits) {
  const int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1), fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  return sign * std::ldexp(exponent ? fraction + (1 << fraction_bits) : fraction,
                           std::max(exponent, 1) - bias - fraction_bits);
}

std::vector<uint16_t> all_patterns() {
  std::vector<uint16_t> out(65536);
  for (size_t k = 0; k < out.size(); ++k) out[k] = static_cast<uint16_t>(k);
  return out;
}

TEST(Conversion, EveryHalfWidensToItsValue) {
  const std::vector<float> f32 = run<float>("cvt.f32.f16 %d, %a;", all_patterns());
  const std::vector<double> f64 = run<double>("cvt.f64.f16 %d, %a;", all_patterns());
  for (size_t k = 0; k < f32.size(); ++k) {
    const double expected = value_of(static_cast<uint16_t>(k), 10);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(f32[k]) && std::isnan(f64[k])) << k;
    } else {
      EXPECT_TRUE(f32[k] == expected && f64[k] == expected && std::signbit(f32[k]) == std::signbit(expected)) << k;
    }
  }
}

/// For each pair of neighbours (a, b) of one sign: a itself, a little above it, just below the middle, the middle, just
/// above it.
struct Case {
  float in;
  uint16_t nearest, zero, below, above;
};
std::vector<Case> cases_between_neighbours(int fraction_bits) {
  std::vector<Case> out;
  for (int k = 0; k < 65536; ++k) {
    const auto a = static_cast<uint16_t>(k), b = static_cast<uint16_t>(k + 1);
    const double low = value_of(a, fraction_bits);
    double high = value_of(b, fraction_bits);
    if (!std::isfinite(low) || k == 0x7fff || k == 0xffff) continue;
    if (std::isinf(high))
      high = 2 * low - value_of(static_cast<uint16_t>(k - 1), fraction_bits);  // overflow begins at the middle to it
    const auto middle = static_cast<float>((low + high) / 2);
    const bool negative = k >= 0x8000;
    const auto add = [&](float in, uint16_t nearest, bool exact) {
      if (exact)
        out.push_back({in, a, a, a, a});
      else
        out.push_back({in, nearest, a, negative ? b : a, negative ? a : b});
    };
    add(static_cast<float>(low), a, true);
    if (middle == low) continue;  // f32 has nothing between them
    add(middle, a % 2 == 0 ? a : b, false);
    const float inner = std::nextafter(middle, static_cast<float>(low)),
                outer = std::nextafter(middle, std::copysign(INFINITY, middle));
    if (inner != static_cast<float>(low)) add(inner, a, false);
    if (std::fabs(outer) < std::fabs(high)) add(outer, b, false);
  }
  return out;
}

void check_narrowing(const std::string& type, int fraction_bits) {
  const std::vector<Case> cases = cases_between_neighbours(fraction_bits);
  ASSERT_GT(cases.size(), 190'000u);
  std::vector<float> in;
  for (const Case& c : cases) in.push_back(c.in);
  const auto nearest = run<uint16_t>("cvt.rn." + type + ".f32 %d, %a;", in),
             zero = run<uint16_t>("cvt.rz." + type + ".f32 %d, %a;", in);
  int wrong = 0;
  for (size_t k = 0; k < cases.size() && wrong < 5; ++k) {
    wrong += nearest[k] != cases[k].nearest || zero[k] != cases[k].zero;
    EXPECT_EQ(nearest[k], cases[k].nearest) << cases[k].in;
    EXPECT_EQ(zero[k], cases[k].zero) << cases[k].in;
  }
  // Pairs: the first operand becomes the high half.
  const auto pairs = run<uint32_t>("{.reg .f32 %m; neg.f32 %m, %a; cvt.rn." + type + "x2.f32 %d, %m, %a;}", in);
  for (size_t k = 0; k < cases.size() && wrong < 5; ++k) {
    const uint32_t expected = cases[k].nearest | uint32_t{cases[k].nearest ^ 0x8000u} << 16;
    wrong += pairs[k] != expected;
    EXPECT_EQ(pairs[k], expected) << cases[k].in;
  }
}

TEST(Conversion, F32NarrowsToTheRightNeighbourOfEveryHalf) { check_narrowing("f16", 10); }
TEST(Conversion, F32NarrowsToTheRightNeighbourOfEveryBfloat) { check_narrowing("bf16", 7); }

TEST(Conversion, EveryHalfToIntegersInEveryRoundingClampedToTheirRange) {
  const std::vector<uint16_t> in = all_patterns();
  const auto nearest = run<int32_t>("cvt.rni.s32.f16 %d, %a;", in), zero = run<int32_t>("cvt.rzi.s32.f16 %d, %a;", in);
  const auto down = run<int32_t>("cvt.rmi.s32.f16 %d, %a;", in), up = run<int32_t>("cvt.rpi.s32.f16 %d, %a;", in);
  const auto bytes = run<int16_t>("cvt.rni.s8.f16 %d, %a;", in);
  for (size_t k = 0; k < in.size(); ++k) {
    const double v = value_of(in[k], 10);
    const auto clamp = [&](double x, double low, double high) {
      return std::isnan(x) ? 0 : static_cast<int32_t>(std::fmin(std::fmax(x, low), high));
    };
    EXPECT_EQ(nearest[k], clamp(std::nearbyint(v), INT32_MIN, INT32_MAX)) << v;
    EXPECT_EQ(zero[k], clamp(std::trunc(v), INT32_MIN, INT32_MAX)) << v;
    EXPECT_EQ(down[k], clamp(std::floor(v), INT32_MIN, INT32_MAX)) << v;
    EXPECT_EQ(up[k], clamp(std::ceil(v), INT32_MIN, INT32_MAX)) << v;
    EXPECT_EQ(bytes[k], clamp(std::nearbyint(v), -128, 127)) << v;
  }
}

TEST(Conversion, EveryInteger16ToFloatsAndOtherWidths) {
  const std::vector<uint16_t> in = all_patterns();
  const auto s_f32 = run<float>("cvt.rn.f32.s16 %d, %a;", in), u_f32 = run<float>("cvt.rn.f32.u16 %d, %a;", in);
  const auto half = run<uint16_t>("cvt.rn.f16.u16 %d, %a;", in);
  const auto wide = run<int64_t>("cvt.s64.s16 %d, %a;", in);
  const auto unsigned_wide = run<int64_t>("cvt.u64.u16 %d, %a;", in);
  const auto byte = run<uint32_t>("cvt.s32.s8 %d, %a;", in);
  const auto saturated = run<int16_t>("cvt.sat.s8.s16 %d, %a;", in);
  for (size_t k = 0; k < in.size(); ++k) {
    const auto s = static_cast<int16_t>(in[k]);
    EXPECT_EQ(s_f32[k], static_cast<float>(s));
    EXPECT_EQ(u_f32[k], static_cast<float>(in[k]));
    EXPECT_EQ(wide[k], s);
    EXPECT_EQ(unsigned_wide[k], in[k]);
    EXPECT_EQ(static_cast<int32_t>(byte[k]), static_cast<int8_t>(in[k]));
    EXPECT_EQ(saturated[k], std::min(std::max<int>(s, -128), 127));
    // 11 bits of fraction: the spacing is 1 up to 2048, then 2, 4, ...
    const double spacing = std::ldexp(1, std::max(std::ilogb(in[k] | 1) - 10, 0));
    EXPECT_EQ(value_of(half[k], 10), in[k] >= 65520 ? INFINITY : std::nearbyint(in[k] / spacing) * spacing) << in[k];
  }
}

TEST(Conversion, LargeIntegersRoundOnceInTheStatedDirection) {
  const std::vector<int64_t> in = {(int64_t{1} << 53) + 1,
                                   (int64_t{1} << 24) + 1,
                                   -(int64_t{1} << 24) - 1,
                                   (int64_t{1} << 55) + (int64_t{1} << 31) + 1,
                                   INT64_MAX,
                                   INT64_MIN};
  const auto nearest = run<float>("cvt.rn.f32.s64 %d, %a;", in), zero = run<float>("cvt.rz.f32.s64 %d, %a;", in);
  const auto down = run<float>("cvt.rm.f32.s64 %d, %a;", in), up = run<float>("cvt.rp.f32.s64 %d, %a;", in);
  for (size_t k = 0; k < in.size(); ++k) {
    const auto exact = static_cast<long double>(in[k]);  // 64 bits of fraction
    EXPECT_LE(static_cast<long double>(down[k]), exact);
    EXPECT_GE(static_cast<long double>(up[k]), exact);
    EXPECT_TRUE(down[k] == up[k] || std::nextafter(down[k], INFINITY) == up[k]);
    EXPECT_EQ(zero[k], in[k] < 0 ? up[k] : down[k]);
    const long double to_down = exact - down[k], to_up = up[k] - exact;
    EXPECT_EQ(nearest[k], to_down < to_up                             ? down[k]
                          : to_up < to_down                           ? up[k]
                          : std::bit_cast<uint32_t>(down[k]) % 2 == 0 ? down[k]
                                                                      : up[k]);
  }
}

TEST(Conversion, F64ToIntegersAndTf32) {
  const std::vector<double> in = {0.5, 1.5, -2.5, 3e9, -3e9, 1e19, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_EQ(run<int32_t>("cvt.rni.s32.f64 %d, %a;", in),
            (std::vector<int32_t>{0, 2, -2, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN}));
  EXPECT_EQ(run<uint64_t>("cvt.rzi.u64.f64 %d, %a;", in),
            (std::vector<uint64_t>{0, 1, 0, 3000000000u, 0, 10000000000000000000u, uint64_t{1} << 63}));
  const std::vector<float> near_tie = {1 + 0x1p-11f, 1 + 0x1p-11f - 0x1p-23f, -1 - 0x1p-11f};
  EXPECT_EQ(run<float>("cvt.rna.tf32.f32 %d, %a;", near_tie), (std::vector<float>{1 + 0x1p-10f, 1, -1 - 0x1p-10f}));
}

}  // namespace
