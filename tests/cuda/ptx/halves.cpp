/// PTX ISA, "Half Precision Floating Point Instructions": f16, bf16 and their pairs. Sums and products are exact in
/// f64, or rounded to odd there, before the one rounding to the format.
#include <bit>
#include <cmath>

#include "float_format.h"
#include "lanewise.h"

namespace ptx {
namespace {

template <class T>
T add(T a, T b) {
  return narrow<T>(add_to_odd(wide(a), wide(b)));
}
template <class T>
T subtract(T a, T b) {
  return narrow<T>(add_to_odd(wide(a), -wide(b)));
}
template <class T>
T multiply(T a, T b) {
  return narrow<T>(wide(a) * wide(b));
}
template <class T>
T multiply_add(T a, T b, T c) {
  return narrow<T>(add_to_odd(wide(a) * wide(b), wide(c)));
}
template <class T>
T positive_part(T v) {
  return std::isnan(wide(v)) ? T{0x7fff} : (v.bits & 0x8000) != 0 ? T{0} : v;
}
template <class T>
T multiply_add_relu(T a, T b, T c) {
  return positive_part(multiply_add(a, b, c));
}
template <class T>
T saturate(T v) {
  return narrow<T>(std::isnan(wide(v)) ? 0 : std::fmin(std::fmax(wide(v), 0.0), 1.0));
}
template <class T>
T multiply_add_saturated(T a, T b, T c) {
  return saturate(multiply_add(a, b, c));
}
template <class T>
T add_saturated(T a, T b) {
  return saturate(add(a, b));
}
template <class T>
T multiply_saturated(T a, T b) {
  return saturate(multiply(a, b));
}
template <class T>
T absolute(T a) {
  return {static_cast<uint16_t>(a.bits & 0x7fff)};
}
template <class T>
T negate(T a) {
  return {static_cast<uint16_t>(a.bits ^ 0x8000)};
}
template <class T>
T minimum_nan(T a, T b) {
  if (std::isnan(wide(a)) || std::isnan(wide(b))) return {0x7fff};
  return wide(a) == wide(b) ? ((a.bits & 0x8000) != 0 ? a : b) : wide(a) < wide(b) ? a : b;
}
template <class T>
T maximum_nan(T a, T b) {
  if (std::isnan(wide(a)) || std::isnan(wide(b))) return {0x7fff};
  return wide(a) == wide(b) ? ((a.bits & 0x8000) != 0 ? b : a) : wide(a) > wide(b) ? a : b;
}
template <class T>
T minimum(T a, T b) {
  return std::isnan(wide(a)) && !std::isnan(wide(b))   ? b
         : std::isnan(wide(b)) && !std::isnan(wide(a)) ? a
                                                       : minimum_nan(a, b);
}
template <class T>
T maximum(T a, T b) {
  return std::isnan(wide(a)) && !std::isnan(wide(b))   ? b
         : std::isnan(wide(b)) && !std::isnan(wide(a)) ? a
                                                       : maximum_nan(a, b);
}
template <class T>
T hyperbolic_tangent(T a) {
  return narrow<T>(std::tanh(wide(a)));
}
template <class T>
T power_of_2(T a) {
  return narrow<T>(std::exp2(wide(a)));
}

template <class T>
struct Pair {
  T low, high;
};
template <class T, auto F>
Pair<T> pairs_1(Pair<T> a) {
  return {F(a.low), F(a.high)};
}
template <class T, auto F>
Pair<T> pairs_2(Pair<T> a, Pair<T> b) {
  return {F(a.low, b.low), F(a.high, b.high)};
}
template <class T, auto F>
Pair<T> pairs_3(Pair<T> a, Pair<T> b, Pair<T> c) {
  return {F(a.low, b.low, c.low), F(a.high, b.high, c.high)};
}

template <class T, auto F>
void unary(OpcodeTable& t, const std::string& name, const std::string& type) {
  t.row(name + "." + type, lanewise<F>());
  t.row(name + "." + type + "x2", lanewise<pairs_1<T, F>>());
}
template <class T, auto F>
void binary(OpcodeTable& t, const std::string& name, const std::string& type) {
  t.row(name + "." + type, lanewise<F>());
  t.row(name + "." + type + "x2", lanewise<pairs_2<T, F>>());
}
template <class T, auto F>
void ternary(OpcodeTable& t, const std::string& name, const std::string& type) {
  t.row(name + "." + type, lanewise<F>());
  t.row(name + "." + type + "x2", lanewise<pairs_3<T, F>>());
}

template <class T>
void both_formats(OpcodeTable& t, const std::string& type) {
  for (const std::string rounding : {"", ".rn"}) {
    binary<T, add<T>>(t, "add" + rounding, type);
    binary<T, subtract<T>>(t, "sub" + rounding, type);
    binary<T, multiply<T>>(t, "mul" + rounding, type);
    binary<T, add_saturated<T>>(t, "add" + rounding + ".sat", type);
    binary<T, multiply_saturated<T>>(t, "mul" + rounding + ".sat", type);
  }
  ternary<T, multiply_add<T>>(t, "fma.rn", type);
  ternary<T, multiply_add_relu<T>>(t, "fma.rn.relu", type);
  ternary<T, multiply_add_saturated<T>>(t, "fma.rn.sat", type);
  unary<T, absolute<T>>(t, "abs", type);
  unary<T, negate<T>>(t, "neg", type);
  binary<T, minimum<T>>(t, "min", type);
  binary<T, maximum<T>>(t, "max", type);
  binary<T, minimum_nan<T>>(t, "min.NaN", type);
  binary<T, maximum_nan<T>>(t, "max.NaN", type);
  unary<T, hyperbolic_tangent<T>>(t, "tanh.approx", type);
  unary<T, power_of_2<T>>(t, std::is_same_v<T, Half> ? "ex2.approx" : "ex2.approx.ftz", type);
}

}  // namespace

void add_half_rows(OpcodeTable& t) {
  both_formats<Half>(t, "f16");
  both_formats<BFloat>(t, "bf16");
}

}  // namespace ptx
