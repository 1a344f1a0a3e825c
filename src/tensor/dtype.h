/// Element types, their sizes and names, and the 16-bit floats as C++ types.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace suanli {

enum class DType : uint8_t { f32, bf16, f16, f64, i8, u8, i32, i64, boolean };

/// Bytes of one element.
int64_t size_of(DType dtype);
/// "f32", "bf16", ..., "bool".
const char* name_of(DType dtype);
/// True for f32, bf16, f16 and f64.
bool is_floating(DType dtype);
/// f64 for f64, else f32: the dtype of statistics, losses and accumulations.
constexpr DType accumulation_dtype(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

/// bfloat16: the upper half of an f32; rounds to nearest even, keeps NaN.
struct bfloat16 {
  uint16_t bits = 0;
  bfloat16() = default;
  explicit bfloat16(float value) {
    const uint32_t u = std::bit_cast<uint32_t>(value);
    bits = (u & 0x7fffffff) > 0x7f800000 ? static_cast<uint16_t>(u >> 16 | 0x40)
                                         : static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

/// IEEE binary16; rounds to nearest even, overflow to infinity.
struct float16 {
  uint16_t bits = 0;
  float16() = default;
  explicit float16(float value);
  operator float() const;
};

template <class T>
struct dtype_traits;
template <>
struct dtype_traits<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_traits<bfloat16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct dtype_traits<float16> {
  static constexpr DType value = DType::f16;
};
template <>
struct dtype_traits<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct dtype_traits<int8_t> {
  static constexpr DType value = DType::i8;
};
template <>
struct dtype_traits<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_traits<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct dtype_traits<int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct dtype_traits<bool> {
  static constexpr DType value = DType::boolean;
};
/// The DType of a C++ type.
template <class T>
inline constexpr DType dtype_of = dtype_traits<T>::value;

/// Calls `f.template operator()<T>()` with the C++ type of a floating dtype; false for the others.
template <class F>
bool dispatch_floating(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      f.template operator()<float>();
      return true;
    case DType::bf16:
      f.template operator()<bfloat16>();
      return true;
    case DType::f16:
      f.template operator()<float16>();
      return true;
    case DType::f64:
      f.template operator()<double>();
      return true;
    default:
      return false;
  }
}

}  // namespace suanli
