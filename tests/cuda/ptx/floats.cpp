/// PTX ISA, "Floating Point Instructions" for f32 and f64. Approximate functions are computed in f64 and rounded to
/// f32, which is within every bound that the ISA gives for them.
#include <bit>
#include <cmath>
#include <numbers>

#include "float_format.h"
#include "lanewise.h"

namespace ptx {
namespace {

// A NaN result is the one NaN of the type.
float canonical(float v) { return std::isnan(v) ? std::bit_cast<float>(0x7fffffffu) : v; }
double canonical(double v) { return v; }

template <class T>
T add(T a, T b) {
  return canonical(a + b);
}
template <class T>
T subtract(T a, T b) {
  return canonical(a - b);
}
template <class T>
T multiply(T a, T b) {
  return canonical(a * b);
}
template <class T>
T multiply_add(T a, T b, T c) {
  return canonical(std::fma(a, b, c));
}
template <class T>
T divide(T a, T b) {
  return canonical(a / b);
}
template <class T>
T reciprocal(T a) {
  return canonical(T{1} / a);
}
template <class T>
T square_root(T a) {
  return canonical(std::sqrt(a));
}
template <class T>
T reciprocal_root(T a) {
  return narrow<T>(1 / std::sqrt(static_cast<double>(a)));
}
template <class T>
T absolute(T a) {
  return std::fabs(a);
}
template <class T>
T negate(T a) {
  return -a;
}
template <class T>
T copy_sign(T a, T b) {
  return std::copysign(b, a);
}
template <class T>
T minimum(T a, T b) {
  if (std::isnan(a)) return canonical(b);
  if (std::isnan(b)) return a;
  return a == b ? (std::signbit(a) ? a : b) : a < b ? a : b;
}
template <class T>
T maximum(T a, T b) {
  if (std::isnan(a)) return canonical(b);
  if (std::isnan(b)) return a;
  return a == b ? (std::signbit(a) ? b : a) : a > b ? a : b;
}
template <class T>
T minimum_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? canonical(a + b) : minimum(a, b);
}
template <class T>
T maximum_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? canonical(a + b) : maximum(a, b);
}

float sine(float a) { return narrow<float>(std::sin(static_cast<double>(a))); }
float cosine(float a) { return narrow<float>(std::cos(static_cast<double>(a))); }
float log_2(float a) { return narrow<float>(std::log2(static_cast<double>(a))); }
float power_of_2(float a) { return narrow<float>(std::exp2(static_cast<double>(a))); }
float hyperbolic_tangent(float a) { return narrow<float>(std::tanh(static_cast<double>(a))); }

float flush(float v) { return std::fpclassify(v) == FP_SUBNORMAL ? std::copysign(0.0f, v) : v; }
float saturate(float v) { return std::isnan(v) ? 0.0f : std::fmin(std::fmax(v, 0.0f), 1.0f); }

/// F with subnormal inputs and results flushed to zero (.ftz), or with the result in [0, 1] (.sat).
template <auto F, class... A>
float flushed(A... a) {
  return flush(F(flush(a)...));
}
template <auto F, class... A>
float saturated(A... a) {
  return saturate(F(a...));
}
template <auto F>
Row flushed_1() {
  return lanewise<static_cast<float (*)(float)>(flushed<F, float>)>();
}
template <auto F>
Row flushed_2() {
  return lanewise<static_cast<float (*)(float, float)>(flushed<F, float, float>)>();
}
template <auto F>
Row flushed_3() {
  return lanewise<static_cast<float (*)(float, float, float)>(flushed<F, float, float, float>)>();
}

/// name.type and name.rn.type, and the three directed roundings.
template <auto F>
void all_roundings(OpcodeTable& t, const std::string& name, const std::string& type) {
  t.row(name + "." + type, lanewise<F>());
  t.row(name + ".rn." + type, lanewise<F>());
  t.row(name + ".rz." + type, rounded<F, FE_TOWARDZERO>());
  t.row(name + ".rm." + type, rounded<F, FE_DOWNWARD>());
  t.row(name + ".rp." + type, rounded<F, FE_UPWARD>());
}

template <class T>
void both_widths(OpcodeTable& t, const std::string& type) {
  all_roundings<add<T>>(t, "add", type);
  all_roundings<subtract<T>>(t, "sub", type);
  all_roundings<multiply<T>>(t, "mul", type);
  all_roundings<multiply_add<T>>(t, "fma", type);
  all_roundings<multiply_add<T>>(t, "mad", type);
  all_roundings<divide<T>>(t, "div", type);
  all_roundings<reciprocal<T>>(t, "rcp", type);
  all_roundings<square_root<T>>(t, "sqrt", type);
  t.row("abs." + type, lanewise<absolute<T>>());
  t.row("neg." + type, lanewise<negate<T>>());
  t.row("min." + type, lanewise<minimum<T>>());
  t.row("max." + type, lanewise<maximum<T>>());
  t.row("copysign." + type, lanewise<copy_sign<T>>());
}

template <auto F>
void approximate_1(OpcodeTable& t, const std::string& name) {
  t.row(name + ".approx.f32", lanewise<F>());
  t.row(name + ".approx.ftz.f32", flushed_1<F>());
}

template <auto F>
void saturating_2(OpcodeTable& t, const std::string& name) {
  constexpr auto saturated_f = static_cast<float (*)(float, float)>(saturated<F, float, float>);
  t.row(name + ".sat.f32", lanewise<saturated_f>());
  t.row(name + ".rn.sat.f32", lanewise<saturated_f>());
  t.row(name + ".ftz.sat.f32", flushed_2<saturated_f>());
  t.row(name + ".ftz.f32", flushed_2<F>());
  t.row(name + ".rn.ftz.f32", flushed_2<F>());
}

template <uint32_t (*F)(double)>
void test_property(Warp& warp, const Instruction& i, LaneMask lanes) {
  LaneMask out = 0;
  for_lanes(lanes, [&](int lane) {
    const double v = i.control[0] == 8 ? warp.at<double>(i.operand[1])[lane] : warp.at<float>(i.operand[1])[lane];
    out |= F(v) << lane;
  });
  warp.set_predicate(i.operand[0], out, lanes);
}
uint32_t is_finite(double v) { return std::isfinite(v); }
uint32_t is_infinite(double v) { return std::isinf(v); }
uint32_t is_number(double v) { return !std::isnan(v); }
uint32_t is_nan(double v) { return std::isnan(v); }

void test_family(Builder& builder, const Opcode& op, const Statement& s) {
  const Execute execute = op.has("finite")     ? test_property<is_finite>
                          : op.has("infinite") ? test_property<is_infinite>
                          : op.has("number")   ? test_property<is_number>
                                               : test_property<is_nan>;
  if (op.has("normal") || op.has("subnormal")) builder.fail("testp of subnormal numbers is not in the interpreter");
  Instruction& i = builder.emit(execute);
  i.control[0] = static_cast<uint8_t>(bytes_of(op.type()));
  i.operand[0] = builder.predicate(s.operands[0]);
  i.operand[1] = builder.slot(s.operands[1], i.control[0]);
}

}  // namespace

void add_float_rows(OpcodeTable& t) {
  both_widths<float>(t, "f32");
  both_widths<double>(t, "f64");
  t.row("min.NaN.f32", lanewise<minimum_nan<float>>());
  t.row("max.NaN.f32", lanewise<maximum_nan<float>>());
  t.row("min.ftz.f32", flushed_2<minimum<float>>());
  t.row("max.ftz.f32", flushed_2<maximum<float>>());
  t.row("abs.ftz.f32", flushed_1<absolute<float>>());
  t.row("neg.ftz.f32", flushed_1<negate<float>>());
  saturating_2<add<float>>(t, "add");
  saturating_2<subtract<float>>(t, "sub");
  saturating_2<multiply<float>>(t, "mul");
  t.row("fma.rn.ftz.f32", flushed_3<multiply_add<float>>());
  t.row("fma.rn.sat.f32",
        lanewise<static_cast<float (*)(float, float, float)>(saturated<multiply_add<float>, float, float, float>)>());
  t.row("div.rn.ftz.f32", flushed_2<divide<float>>());
  t.row("rcp.rn.ftz.f32", flushed_1<reciprocal<float>>());
  t.row("sqrt.rn.ftz.f32", flushed_1<square_root<float>>());
  t.row("div.approx.f32", lanewise<divide<float>>());
  t.row("div.full.f32", lanewise<divide<float>>());
  t.row("div.approx.ftz.f32", flushed_2<divide<float>>());
  t.row("div.full.ftz.f32", flushed_2<divide<float>>());
  approximate_1<reciprocal<float>>(t, "rcp");
  approximate_1<square_root<float>>(t, "sqrt");
  approximate_1<reciprocal_root<float>>(t, "rsqrt");
  approximate_1<sine>(t, "sin");
  approximate_1<cosine>(t, "cos");
  approximate_1<log_2>(t, "lg2");
  approximate_1<power_of_2>(t, "ex2");
  t.row("tanh.approx.f32", lanewise<hyperbolic_tangent>());
  t.row("rsqrt.approx.f64", lanewise<reciprocal_root<double>>());
  t.row("rsqrt.approx.ftz.f64", lanewise<reciprocal_root<double>>());
  t.row("rcp.approx.ftz.f64", lanewise<reciprocal<double>>());
  t.family("testp", test_family);
}

}  // namespace ptx
