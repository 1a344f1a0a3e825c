/// Instructions of one lane against exact results: integers by their definition in wider integers, floats by exact
/// arithmetic.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "probe.h"

namespace {

using probe::run;

/// Random bits, with the values at which integers go wrong among them.
template <class T>
std::vector<T> integers(uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<T> out = {
      0, 1, static_cast<T>(-1), std::numeric_limits<T>::max(), std::numeric_limits<T>::min(), 2, 31, 32, 33, 64};
  while (out.size() < 2000) out.push_back(static_cast<T>(random() >> (random() % 60)));
  std::shuffle(out.begin(), out.end(), random);
  return out;
}

template <class T, class F>
void expect_each(const std::string& text, F&& expected) {
  const auto a = integers<T>(1), b = integers<T>(2), c = integers<T>(3);
  const auto got = run<T>(text, a, b, c);
  for (size_t k = 0; k < got.size(); ++k)
    ASSERT_EQ(got[k], static_cast<T>(expected(a[k], b[k], c[k]))) << text << " " << a[k] << " " << b[k] << " " << c[k];
}

TEST(Arithmetic, IntegersOf32Bits) {
  using s64 = int64_t;
  expect_each<int32_t>("mad.lo.s32 %d, %a, %b, %c;", [](s64 a, s64 b, s64 c) { return a * b + c; });
  expect_each<int32_t>("mul.hi.s32 %d, %a, %b;", [](s64 a, s64 b, s64) { return (a * b) >> 32; });
  expect_each<uint32_t>("mul.hi.u32 %d, %a, %b;", [](uint64_t a, uint64_t b, uint64_t) { return (a * b) >> 32; });
  expect_each<int32_t>("sub.s32 %d, %a, %b;", [](s64 a, s64 b, s64) { return a - b; });
  expect_each<int32_t>("div.s32 %d, %a, %b;", [](s64 a, s64 b, s64) { return b == 0 ? -1 : a / b; });
  expect_each<uint32_t>("rem.u32 %d, %a, %b;", [](uint32_t a, uint32_t b, uint32_t) { return b == 0 ? a : a % b; });
  expect_each<int32_t>("add.sat.s32 %d, %a, %b;",
                       [](s64 a, s64 b, s64) { return std::min<s64>(std::max<s64>(a + b, INT32_MIN), INT32_MAX); });
  expect_each<int32_t>("sad.s32 %d, %a, %b, %c;", [](s64 a, s64 b, s64 c) { return c + std::abs(a - b); });
  expect_each<int32_t>("shr.s32 %d, %a, %b;",
                       [](s64 a, s64 b, s64) { return a >> std::min<uint32_t>(static_cast<uint32_t>(b), 32); });
  expect_each<uint32_t>("shl.b32 %d, %a, %b;", [](uint64_t a, uint64_t b, uint64_t) { return b > 31 ? 0 : a << b; });
  expect_each<uint32_t>("shf.l.wrap.b32 %d, %a, %b, %c;",
                        [](uint64_t a, uint64_t b, uint64_t c) { return ((b << 32 | a) << (c % 32)) >> 32; });
  expect_each<uint32_t>("shf.r.clamp.b32 %d, %a, %b, %c;",
                        [](uint64_t a, uint64_t b, uint64_t c) { return (b << 32 | a) >> std::min<uint64_t>(c, 32); });
  expect_each<uint32_t>("lop3.b32 %d, %a, %b, %c, 0xE8;",
                        [](uint32_t a, uint32_t b, uint32_t c) { return (a & b) | (a & c) | (b & c); });
  expect_each<uint32_t>("brev.b32 %d, %a;", [](uint32_t a, uint32_t, uint32_t) {
    uint32_t out = 0;
    for (int k = 0; k < 32; ++k) out |= (a >> k & 1) << (31 - k);
    return out;
  });
  expect_each<uint32_t>("bfind.u32 %d, %a;",
                        [](uint32_t a, uint32_t, uint32_t) { return a == 0 ? -1 : 31 - std::countl_zero(a); });
  expect_each<uint32_t>("bfe.u32 %d, %a, 5, 9;", [](uint32_t a, uint32_t, uint32_t) { return a >> 5 & 0x1ff; });
  expect_each<int32_t>("bfe.s32 %d, %a, 28, 9;", [](int32_t a, int32_t, int32_t) { return a >> 28; });
  expect_each<uint32_t>("bfi.b32 %d, %a, %b, 7, 12;",
                        [](uint32_t a, uint32_t b, uint32_t) { return (b & ~(0xfffu << 7)) | (a & 0xfff) << 7; });
  expect_each<uint32_t>("prmt.b32 %d, %a, %b, 0x9540;", [](uint32_t a, uint32_t b, uint32_t) {
    const uint32_t sign = a >> 15 & 1 ? 0xff : 0;
    return (a & 0xff) | (b & 0xff) << 8 | (b >> 8 & 0xff) << 16 | sign << 24;
  });
  expect_each<int32_t>("dp4a.s32.u32 %d, %a, %b, %c;", [](int32_t a, int32_t b, int32_t c) {
    s64 sum = c;
    for (int k = 0; k < 32; k += 8) sum += static_cast<int8_t>(a >> k) * static_cast<int>(static_cast<uint8_t>(b >> k));
    return sum;
  });
}

TEST(Arithmetic, IntegersOf64And16Bits) {
  using s128 = __int128;
  expect_each<int64_t>("mul.hi.s64 %d, %a, %b;", [](s128 a, s128 b, s128) { return (a * b) >> 64; });
  expect_each<uint64_t>("mad.lo.u64 %d, %a, %b, %c;", [](uint64_t a, uint64_t b, uint64_t c) { return a * b + c; });
  expect_each<int64_t>("min.s64 %d, %a, %b;", [](int64_t a, int64_t b, int64_t) { return std::min(a, b); });
  expect_each<uint16_t>("mul.lo.u16 %d, %a, %b;", [](uint32_t a, uint32_t b, uint32_t) { return a * b; });
  expect_each<int16_t>("max.s16 %d, %a, %b;", [](int a, int b, int) { return std::max(a, b); });
}

TEST(Arithmetic, CarriesGoFromOneInstructionToTheNext) {
  const auto a = integers<uint64_t>(4), b = integers<uint64_t>(5);
  const std::string halves = "{.reg .b32 %x<6>; mov.b64 {%x0,%x1}, %a; mov.b64 {%x2,%x3}, %b; ";
  const auto sum =
      run<uint64_t>(halves + "add.cc.u32 %x4, %x0, %x2; addc.u32 %x5, %x1, %x3; mov.b64 %d, {%x4,%x5};}", a, b);
  const auto difference =
      run<uint64_t>(halves + "sub.cc.u32 %x4, %x0, %x2; subc.u32 %x5, %x1, %x3; mov.b64 %d, {%x4,%x5};}", a, b);
  for (size_t k = 0; k < a.size(); ++k) {
    ASSERT_EQ(sum[k], a[k] + b[k]);
    ASSERT_EQ(difference[k], a[k] - b[k]);
  }
}

/// Floats of every exponent, zeros and infinities among them.
template <class T>
std::vector<T> floats(uint32_t seed, int exponents) {
  std::mt19937_64 random(seed);
  std::vector<T> out = {0,
                        -T{0},
                        1,
                        -1,
                        std::numeric_limits<T>::infinity(),
                        std::numeric_limits<T>::min(),
                        std::numeric_limits<T>::denorm_min()};
  std::uniform_real_distribution<double> fraction(1, 2);
  while (out.size() < 4000) {
    const double sign = random() % 2 == 0 ? 1 : -1;
    out.push_back(
        static_cast<T>(sign * std::ldexp(fraction(random), static_cast<int>(random() % (2 * exponents)) - exponents)));
  }
  std::shuffle(out.begin(), out.end(), random);
  return out;
}

/// Each direction gives the neighbour of the exact value, which long double (64 bits) holds for a product of two 24-bit
/// fractions.
TEST(Arithmetic, ProductsOfF32InEveryRounding) {
  const auto a = floats<float>(6, 40), b = floats<float>(7, 40);
  const auto rn = run<float>("mul.rn.f32 %d, %a, %b;", a, b), rz = run<float>("mul.rz.f32 %d, %a, %b;", a, b);
  const auto rm = run<float>("mul.rm.f32 %d, %a, %b;", a, b), rp = run<float>("mul.rp.f32 %d, %a, %b;", a, b);
  for (size_t k = 0; k < a.size(); ++k) {
    const double exact = double{a[k]} * b[k];
    if (!std::isfinite(exact)) continue;
    EXPECT_TRUE(rm[k] <= exact && exact <= rp[k] && (rm[k] == rp[k] || std::nextafter(rm[k], INFINITY) == rp[k]))
        << a[k] << " " << b[k];
    EXPECT_EQ(rz[k], exact > 0 ? rm[k] : rp[k]);
    EXPECT_EQ(rn[k], static_cast<float>(exact));
  }
}

TEST(Arithmetic, FmaRoundsOnce) {
  // (1 + e)(1 - e) - 1 = -e^2, which a product rounded before the sum would lose.
  const std::vector<float> e = {0x1p-12f, 0x1p-20f};
  const std::vector<float> a = {1 + e[0], 1 + e[1]}, b = {1 - e[0], 1 - e[1]}, c = {-1, -1};
  EXPECT_EQ(run<float>("fma.rn.f32 %d, %a, %b, %c;", a, b, c), (std::vector<float>{-e[0] * e[0], -e[1] * e[1]}));
  const std::vector<double> x = {1 + 0x1p-40}, y = {1 - 0x1p-40}, z = {-1};
  EXPECT_EQ(run<double>("fma.rn.f64 %d, %a, %b, %c;", x, y, z), (std::vector<double>{-0x1p-80}));
  // bf16: 1.5 + 2^-60 lies above the tie of 1.5 + 2^-8 only through the last summand, far below f64's fraction.
  const std::vector<uint16_t> p = {0x3f81}, q = {0x3f80}, tiny = {0x0180};  // 1 + 2^-7, 1, 2^-124
  EXPECT_EQ(run<uint16_t>("fma.rn.bf16 %d, %a, %b, %c;", p, q, tiny), p);
}

TEST(Arithmetic, ATieOfBf16IsBrokenByASummandFarBelow) {
  // (1 + 2^-7)(1 + 2^-1) = 1.5 + 1.5 * 2^-7 is a tie between neighbours 2^-7 apart; +-2^-124 decides.
  const std::vector<uint16_t> a = {0x3f81, 0x3f81, 0x3f81}, b = {0x3fc0, 0x3fc0, 0x3fc0}, c = {0x0000, 0x0180, 0x8180};
  EXPECT_EQ(run<uint16_t>("fma.rn.bf16 %d, %a, %b, %c;", a, b, c), (std::vector<uint16_t>{0x3fc2, 0x3fc2, 0x3fc1}));
}

TEST(Arithmetic, SumsOfHalvesOverAllPatterns) {
  std::vector<uint16_t> a(65536), b(65536);
  for (size_t k = 0; k < a.size(); ++k)
    a[k] = static_cast<uint16_t>(k), b[k] = static_cast<uint16_t>(k * 40503u + 12345u);
  const auto wide_a = run<double>("cvt.f64.f16 %d, %a;", a), wide_b = run<double>("cvt.f64.f16 %d, %a;", b);
  std::vector<double> exact(a.size());
  for (size_t k = 0; k < a.size(); ++k) exact[k] = wide_a[k] + wide_b[k];  // at most 41 bits: exact
  EXPECT_EQ(run<uint16_t>("add.f16 %d, %a, %b;", a, b), run<uint16_t>("cvt.rn.f16.f64 %d, %a;", exact));
}

TEST(Arithmetic, MinimumAndMaximumOfNumbersNanAndSignedZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {nan, 1, 0.0f, -0.0f, 2}, b = {3, nan, -0.0f, 0.0f, -5};
  const auto low = run<float>("min.f32 %d, %a, %b;", a, b), high = run<float>("max.f32 %d, %a, %b;", a, b);
  EXPECT_EQ(low, (std::vector<float>{3, 1, 0, 0, -5}));
  EXPECT_TRUE(std::signbit(low[2]) && std::signbit(low[3]) && !std::signbit(high[2]) && !std::signbit(high[3]));
  EXPECT_TRUE(std::isnan(run<float>("min.NaN.f32 %d, %a, %b;", a, b)[0]));
}

/// The ISA's bound: 2^-22 of relative error for ex2.approx (and more for others); the interpreter rounds the exact
/// value once.
TEST(Arithmetic, ApproximateFunctionsAreWithinHalfAUnit) {
  std::vector<float> in;
  for (int k = -400; k < 400; ++k) in.push_back(static_cast<float>(k) * 0.173f);
  const auto check = [&](const std::string& name, double (*exact)(double), const std::vector<float>& x) {
    const auto got = run<float>(name + " %d, %a;", x);
    for (size_t k = 0; k < x.size(); ++k)
      EXPECT_LE(std::fabs(got[k] - exact(x[k])), 0x1p-24 * std::fabs(exact(x[k])) + 0x1p-150) << name << " " << x[k];
  };
  check(
      "ex2.approx.f32", [](double v) { return std::exp2(v); }, in);
  check(
      "sin.approx.f32", [](double v) { return std::sin(v); }, in);
  check(
      "cos.approx.f32", [](double v) { return std::cos(v); }, in);
  check(
      "tanh.approx.f32", [](double v) { return std::tanh(v); }, in);
  for (float& v : in) v = std::fabs(v) + 0.01f;
  check(
      "lg2.approx.f32", [](double v) { return std::log2(v); }, in);
  check(
      "rsqrt.approx.f32", [](double v) { return 1 / std::sqrt(v); }, in);
  check(
      "rcp.approx.f32", [](double v) { return 1 / v; }, in);
  EXPECT_EQ(run<float>("ex2.approx.ftz.f32 %d, %a;", std::vector<float>{-130, 0x1p-140f}), (std::vector<float>{0, 1}))
      << "subnormal results and inputs are zero";
}

TEST(Arithmetic, ComparisonsWithNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {1, nan, 2, 2}, b = {2, 2, nan, 2};
  const auto with = [&](const std::string& relation) {
    return run<uint32_t>("setp." + relation + ".f32 %p, %a, %b; selp.b32 %d, 1, 0, %p;", a, b);
  };
  EXPECT_EQ(with("lt"), (std::vector<uint32_t>{1, 0, 0, 0}));
  EXPECT_EQ(with("ne"), (std::vector<uint32_t>{1, 0, 0, 0}));
  EXPECT_EQ(with("neu"), (std::vector<uint32_t>{1, 1, 1, 0}));
  EXPECT_EQ(with("geu"), (std::vector<uint32_t>{0, 1, 1, 1}));
  EXPECT_EQ(with("nan"), (std::vector<uint32_t>{0, 1, 1, 0}));
  EXPECT_EQ(run<uint32_t>("setp.lt.f32 %p|%q, %a, %b; selp.b32 %d, 1, 0, %q;", a, b),
            (std::vector<uint32_t>{0, 1, 1, 1}));
}

}  // namespace
