/// Floating-point formats narrower than f64, as values of f64 rounded to them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace ptx {

enum class Rounding : uint8_t { nearest_even, nearest_away, zero, down, up };

/// Bits of the fraction and exponent of the smallest normal number.
struct FloatFormat {
  int fraction, lowest_exponent, highest_exponent;
};
inline constexpr FloatFormat kF16{10, -14, 15}, kBf16{7, -126, 127}, kTf32{10, -126, 127}, kF32{23, -126, 127};

/// The number of the format next to `value` in the direction of the rounding, as f64; infinity or the largest number
/// beyond its range.
inline double round_to(double value, FloatFormat format, Rounding rounding) {
  if (!std::isfinite(value) || value == 0) return value;
  const auto bits = std::bit_cast<uint64_t>(value);
  const int own_exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  if (rounding == Rounding::nearest_even && own_exponent >= format.lowest_exponent &&
      own_exponent < format.highest_exponent) {
    const int drop = 52 - format.fraction;  // the common case, on the bits themselves
    const uint64_t half_less_one = (uint64_t{1} << (drop - 1)) - 1;
    return std::bit_cast<double>((bits + half_less_one + (bits >> drop & 1)) >> drop << drop);
  }
  const int exponent = std::max(own_exponent, format.lowest_exponent);
  // In units of the last place, which are exact to count with: |value| / 2^(exponent - fraction) < 2^(fraction + 1).
  const double scaled = std::ldexp(std::fabs(value), format.fraction - exponent);
  const double floor = std::floor(scaled);
  const double rest = scaled - floor;
  const bool odd = std::fmod(floor, 2) != 0;
  bool away = false;
  switch (rounding) {
    case Rounding::nearest_even:
      away = rest > 0.5 || (rest == 0.5 && odd);
      break;
    case Rounding::nearest_away:
      away = rest >= 0.5;
      break;
    case Rounding::zero:
      break;
    case Rounding::down:
      away = rest > 0 && value < 0;
      break;
    case Rounding::up:
      away = rest > 0 && value > 0;
      break;
  }
  double out = std::ldexp(floor + (away ? 1 : 0), exponent - format.fraction);
  const double largest = std::ldexp(2 - std::ldexp(1, -format.fraction), format.highest_exponent);
  if (out > largest) {
    const bool stays_finite = rounding == Rounding::zero || (rounding == Rounding::down && value > 0) ||
                              (rounding == Rounding::up && value < 0);
    out = stays_finite ? largest : std::numeric_limits<double>::infinity();
  }
  return std::copysign(out, value);
}

/// The sum as f64 with its last bit set where it is not exact, so that rounding it once more to a narrow format rounds
/// the true sum.
inline double add_to_odd(double a, double b) {
  const double sum = a + b;
  const double shift = sum - a;
  const double error = (a - (sum - shift)) + (b - shift);
  auto bits = std::bit_cast<uint64_t>(sum);
  if (!std::isfinite(sum) || error == 0 || (bits & 1) != 0) return sum;
  bits += (error > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

struct Half {
  static constexpr FloatFormat kFormat = kF16;
  uint16_t bits;
};
struct BFloat {
  static constexpr FloatFormat kFormat = kBf16;
  uint16_t bits;
};

inline double wide(float value) { return value; }
inline double wide(double value) { return value; }
inline double wide(BFloat value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }
inline double wide(Half value) {
  const uint32_t sign = uint32_t{value.bits & 0x8000u} << 16, magnitude = uint32_t{value.bits & 0x7fffu} << 13;
  const bool is_special = (value.bits & 0x7c00) == 0x7c00;
  // Read as f32 the exponent is 112 too low, for subnormal numbers as well.
  const float scaled =
      is_special ? std::bit_cast<float>(magnitude | 0x7f800000u) : std::bit_cast<float>(magnitude) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

/// T is float, double, Half or BFloat. NaNs become the one NaN that PTX gives for the type.
template <class T>
T narrow(double value, Rounding rounding = Rounding::nearest_even);

template <>
inline double narrow<double>(double value, Rounding) {
  return value;
}
template <>
inline float narrow<float>(double value, Rounding rounding) {
  if (std::isnan(value)) return std::bit_cast<float>(0x7fffffffu);
  return static_cast<float>(rounding == Rounding::nearest_even ? value : round_to(value, kF32, rounding));
}
template <>
inline BFloat narrow<BFloat>(double value, Rounding rounding) {
  if (std::isnan(value)) return {0x7fff};
  return {static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(round_to(value, kBf16, rounding))) >> 16)};
}
template <>
inline Half narrow<Half>(double value, Rounding rounding) {
  if (std::isnan(value)) return {0x7fff};
  const double rounded = round_to(value, kF16, rounding);
  const uint16_t sign = std::signbit(rounded) ? 0x8000 : 0;
  const double magnitude = std::fabs(rounded);
  if (std::isinf(magnitude)) return {static_cast<uint16_t>(sign | 0x7c00)};
  if (magnitude < 0x1p-14) return {static_cast<uint16_t>(sign | static_cast<uint16_t>(magnitude * 0x1p24))};
  const uint64_t bits = std::bit_cast<uint64_t>(magnitude);
  return {static_cast<uint16_t>(sign | ((bits >> 42) - ((1023 - 15) << 10)))};
}

}  // namespace ptx
