// Exponential, tanh, sigmoid and the normal distribution on vectors of f32. Coefficients are our own minimax fits
// (Lawson's iteration in extended precision). The errors stated are those of the fit and of f32 rounding; tests/kernels
// bounds them against f64.
#if defined(SUANLI_KERNELS_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_MATH_INL_H_
#undef SUANLI_KERNELS_CPU_MATH_INL_H_
#else
#define SUANLI_KERNELS_CPU_MATH_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE Vector constant(float value) { return hn::Set(F32(), value); }

/// c[0] + c[1] x + ... by Horner's rule.
template <size_t N>
HWY_INLINE Vector polynomial(Vector x, const float (&c)[N]) {
  Vector sum = constant(c[N - 1]);
  for (size_t i = N - 1; i-- > 0;) sum = hn::MulAdd(sum, x, constant(c[i]));
  return sum;
}

/// exp(x) for x <= 88, <= 1 ulp; 0 below -87.33 (where f32 turns subnormal); NaN stays NaN.
/// x = n ln 2 + r, exp(x) = 2^n (1 + r + r^2 P(r)).
HWY_INLINE Vector exp_negative(Vector x) {
  const Vector magic = constant(0x1.8p23F);  // adding it leaves the nearest integer in the low bits
  const Vector shifted = hn::MulAdd(x, constant(1.44269504F), magic);
  const Vector n = hn::Sub(shifted, magic);
  const Vector r = hn::NegMulAdd(n, constant(-2.12194440e-4F), hn::NegMulAdd(n, constant(0.693359375F), x));
  const Vector p = polynomial(r, {0.4999999305F, 0.1666651479F, 0.04166845683F, 0.008369419043F, 0.001381314236F});
  const Vector fraction = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), constant(1.0F));
  const auto exponent = hn::Add(hn::ShiftLeft<23>(hn::BitCast(U32(), shifted)), hn::Set(U32(), 0x3f800000));
  const Vector result = hn::Mul(fraction, hn::BitCast(F32(), exponent));
  return hn::IfThenZeroElse(hn::Lt(x, constant(-87.33F)), result);
}

/// 1 / x for normal x, <= 4 ulp: the estimate of the hardware (12 bits or more) and one step of Newton's iteration.
HWY_INLINE Vector reciprocal(Vector x) {
  const Vector estimate = hn::ApproximateReciprocal(x);
  return hn::MulAdd(estimate, hn::NegMulAdd(x, estimate, constant(1.0F)), estimate);
}

/// 1 / (1 + exp(-x)), <= 6 ulp.
HWY_INLINE Vector sigmoid(Vector x) {
  const Vector e = exp_negative(hn::Neg(hn::Abs(x)));
  const Vector upper = reciprocal(hn::Add(constant(1.0F), e));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(F32())), hn::Mul(e, upper), upper);
}

/// tanh(x), <= 3 ulp: an odd polynomial near 0, (1 - e) / (1 + e) with e = exp(-2|x|) elsewhere.
HWY_INLINE Vector tanh(Vector x) {
  const Vector z = hn::Abs(x), square = hn::Mul(z, z);
  const Vector p =
      polynomial(square, {-0.3333327770F, 0.1333130747F, -0.05372802913F, 0.02059953660F, -0.005659380463F});
  const Vector near = hn::MulAdd(hn::Mul(square, z), p, z);
  const Vector e = exp_negative(hn::Mul(z, constant(-2.0F)));
  const Vector far = hn::Div(hn::Sub(constant(1.0F), e), hn::Add(constant(1.0F), e));
  return hn::CopySign(hn::IfThenElse(hn::Lt(z, constant(0.625F)), near, far), x);
}

struct Normal {
  Vector cumulative;  ///< Phi(x) = (1 + erf(x / sqrt 2)) / 2
  Vector bell;        ///< exp(-x^2 / 2)
};

/// The normal distribution, absolute error <= 2e-7, and 0 or 1 exactly where f32 cannot tell:
/// Phi(-z) = exp(-z^2 / 2) t P(t) with t = 1 / (1 + 0.4 z), z >= 0 (P within 2.5e-8).
HWY_INLINE Normal normal(Vector x) {
  const Vector z = hn::Min(hn::Abs(x), constant(14.5F));
  const Vector bell = exp_negative(hn::Mul(hn::Mul(z, z), constant(-0.5F)));
  const Vector t = reciprocal(hn::MulAdd(z, constant(0.4F), constant(1.0F)));
  const Vector p =
      polynomial(t, {0.1571135089F, 0.1860282633F, 0.0201340940F, 0.3308026693F, -0.2490488428F, 0.05497033202F});
  const Vector tail = hn::Mul(hn::Mul(bell, t), p);
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(F32())), tail, hn::Sub(constant(1.0F), tail)), bell};
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
