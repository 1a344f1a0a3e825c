/// PTX ISA, "Integer Arithmetic Instructions".
#include <algorithm>
#include <limits>
#include <type_traits>

#include "lanewise.h"

namespace ptx {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;
template <class T>
struct Twice;
template <>
struct Twice<int16_t> {
  using type = int32_t;
};
template <>
struct Twice<uint16_t> {
  using type = uint32_t;
};
template <>
struct Twice<int32_t> {
  using type = int64_t;
};
template <>
struct Twice<uint32_t> {
  using type = uint64_t;
};
template <>
struct Twice<int64_t> {
  using type = __int128;
};
template <>
struct Twice<uint64_t> {
  using type = unsigned __int128;
};
template <class T>
using Wide = typename Twice<T>::type;

template <class T>
T add(T a, T b) {
  return static_cast<T>(Unsigned<T>(a) + Unsigned<T>(b));
}
template <class T>
T subtract(T a, T b) {
  return static_cast<T>(Unsigned<T>(a) - Unsigned<T>(b));
}
template <class T>
T multiply_low(T a, T b) {
  return static_cast<T>(Wide<Unsigned<T>>(Unsigned<T>(a)) * Unsigned<T>(b));
}
template <class T>
T multiply_high(T a, T b) {
  return static_cast<T>((Wide<T>(a) * Wide<T>(b)) >> (sizeof(T) * 8));
}
template <class T>
Wide<T> multiply_wide(T a, T b) {
  return static_cast<Wide<T>>(Wide<T>(a) * Wide<T>(b));
}
template <class T>
T multiply_add_low(T a, T b, T c) {
  return add<T>(multiply_low<T>(a, b), c);
}
template <class T>
T multiply_add_high(T a, T b, T c) {
  return add<T>(multiply_high<T>(a, b), c);
}
template <class T>
Wide<T> multiply_add_wide(T a, T b, Wide<T> c) {
  return add<Wide<T>>(multiply_wide<T>(a, b), c);
}
template <class T>
T low_24(T a) {
  return static_cast<T>(Unsigned<T>(a) << 8) >> 8;
}
template <class T>
T multiply_24(T a, T b) {
  return static_cast<T>(Wide<T>(low_24(a)) * low_24(b));
}
template <class T>
T multiply_add_24(T a, T b, T c) {
  return add<T>(multiply_24(a, b), c);
}

// A division by zero gives all ones, as the hardware does; the ISA leaves it open.
template <class T>
T divide(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return subtract<T>(0, a);
  }
  return static_cast<T>(a / b);
}
template <class T>
T remainder(T a, T b) {
  if (b == 0) return a;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return static_cast<T>(a % b);
}
template <class T>
T absolute(T a) {
  return a < 0 ? subtract<T>(0, a) : a;
}
template <class T>
T negate(T a) {
  return subtract<T>(0, a);
}
template <class T>
T minimum(T a, T b) {
  return std::min(a, b);
}
template <class T>
T maximum(T a, T b) {
  return std::max(a, b);
}
template <class T>
T sum_of_distance(T a, T b, T c) {
  return add<T>(c, a < b ? subtract<T>(b, a) : subtract<T>(a, b));
}
int32_t add_saturated(int32_t a, int32_t b) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} + b, INT32_MIN, INT32_MAX));
}
int32_t subtract_saturated(int32_t a, int32_t b) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} - b, INT32_MIN, INT32_MAX));
}

/// f on both 16-bit halves.
template <class T, auto F>
uint32_t halves(uint32_t a, uint32_t b) {
  const auto low = static_cast<uint16_t>(F(static_cast<T>(a), static_cast<T>(b)));
  const auto high = static_cast<uint16_t>(F(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
  return low | uint32_t{high} << 16;
}

/// Products of the four bytes, or of two 16-bit halves with two bytes of b, summed with c.
template <class A, class B>
int32_t dot_4(uint32_t a, uint32_t b, int32_t c) {
  auto sum = static_cast<uint32_t>(c);
  for (int k = 0; k < 32; k += 8) sum += static_cast<uint32_t>(static_cast<A>(a >> k) * static_cast<B>(b >> k));
  return static_cast<int32_t>(sum);
}
template <class A, class B, int kFirst>
int32_t dot_2(uint32_t a, uint32_t b, int32_t c) {
  auto sum = static_cast<uint32_t>(c);
  for (int k = 0; k < 2; ++k)
    sum += static_cast<uint32_t>(static_cast<A>(a >> (16 * k)) * static_cast<B>(b >> (8 * (kFirst + k))));
  return static_cast<int32_t>(sum);
}

template <class T>
void all_widths(OpcodeTable& t, const std::string& type) {
  t.row("add." + type, lanewise<add<T>>());
  t.row("sub." + type, lanewise<subtract<T>>());
  t.row("mul.lo." + type, lanewise<multiply_low<T>>());
  t.row("mul.hi." + type, lanewise<multiply_high<T>>());
  t.row("mad.lo." + type, lanewise<multiply_add_low<T>>());
  t.row("mad.hi." + type, lanewise<multiply_add_high<T>>());
  t.row("div." + type, lanewise<divide<T>>());
  t.row("rem." + type, lanewise<remainder<T>>());
  t.row("min." + type, lanewise<minimum<T>>());
  t.row("max." + type, lanewise<maximum<T>>());
  t.row("sad." + type, lanewise<sum_of_distance<T>>());
  if constexpr (sizeof(T) < 8) {
    t.row("mul.wide." + type, lanewise<multiply_wide<T>>());
    t.row("mad.wide." + type, lanewise<multiply_add_wide<T>>());
  }
  if constexpr (sizeof(T) == 4) {
    t.row("mul24.lo." + type, lanewise<multiply_24<T>>());
    t.row("mad24.lo." + type, lanewise<multiply_add_24<T>>());
  }
  if constexpr (std::is_signed_v<T>) {
    t.row("abs." + type, lanewise<absolute<T>>());
    t.row("neg." + type, lanewise<negate<T>>());
  }
}

template <class A, class B>
void dot_products(OpcodeTable& t, const std::string& types) {
  t.row("dp4a." + types, lanewise<dot_4<A, B>>());
  using Half = std::conditional_t<std::is_signed_v<A>, int16_t, uint16_t>;
  t.row("dp2a.lo." + types, lanewise<dot_2<Half, B, 0>>());
  t.row("dp2a.hi." + types, lanewise<dot_2<Half, B, 2>>());
}

}  // namespace

void add_integer_rows(OpcodeTable& t) {
  all_widths<int16_t>(t, "s16");
  all_widths<uint16_t>(t, "u16");
  all_widths<int32_t>(t, "s32");
  all_widths<uint32_t>(t, "u32");
  all_widths<int64_t>(t, "s64");
  all_widths<uint64_t>(t, "u64");
  t.row("add.sat.s32", lanewise<add_saturated>());
  t.row("sub.sat.s32", lanewise<subtract_saturated>());
  t.row("add.s16x2", lanewise<halves<int16_t, add<int16_t>>>());
  t.row("add.u16x2", lanewise<halves<uint16_t, add<uint16_t>>>());
  t.row("min.s16x2", lanewise<halves<int16_t, minimum<int16_t>>>());
  t.row("min.u16x2", lanewise<halves<uint16_t, minimum<uint16_t>>>());
  t.row("max.s16x2", lanewise<halves<int16_t, maximum<int16_t>>>());
  t.row("max.u16x2", lanewise<halves<uint16_t, maximum<uint16_t>>>());
  dot_products<int8_t, int8_t>(t, "s32.s32");
  dot_products<int8_t, uint8_t>(t, "s32.u32");
  dot_products<uint8_t, int8_t>(t, "u32.s32");
  dot_products<uint8_t, uint8_t>(t, "u32.u32");
}

}  // namespace ptx
