/// PTX ISA, "Data Movement and Conversion Instructions: cvt".
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstring>

#include "float_format.h"
#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

// control: what cvt's qualifiers say.
enum : size_t { kTo, kFrom, kRounding, kSaturate, kFlush, kRelu, kIntegral };

Type to(const Instruction& i) { return static_cast<Type>(i.control[kTo]); }
Type from(const Instruction& i) { return static_cast<Type>(i.control[kFrom]); }

/// The low bits of a register as an integer of the type.
int64_t cut(uint64_t bits, const TypeFacts& type) {
  const int spare = 64 - 8 * type.bytes;
  return type.is_signed ? static_cast<int64_t>(bits << spare) >> spare : static_cast<int64_t>(bits << spare >> spare);
}

struct Range {
  __int128 low, high;
};
Range range_of(const TypeFacts& type) {
  const int bits = 8 * type.bytes;
  const __int128 one = 1;
  return type.is_signed ? Range{-(one << (bits - 1)), (one << (bits - 1)) - 1} : Range{0, (one << bits) - 1};
}

template <class D, class S>
void integer_to_integer(Warp& warp, const Instruction& i, LaneMask lanes) {
  const TypeFacts& to_type = facts(to(i));
  const TypeFacts& from_type = facts(from(i));
  const S* const source = warp.at<S>(i.operand[1]);
  D* const out = warp.at<D>(i.operand[0]);
  const bool saturate = i.control[kSaturate] != 0;
  const Range range = range_of(to_type);
  for_lanes(lanes, [&](int lane) {
    int64_t value = cut(static_cast<uint64_t>(source[lane]), from_type);
    if (saturate) {
      const __int128 exact = from_type.is_signed ? __int128{value} : __int128{static_cast<uint64_t>(value)};
      value = static_cast<int64_t>(std::min(std::max(exact, range.low), range.high));
    }
    out[lane] = static_cast<D>(cut(static_cast<uint64_t>(value), to_type));
  });
}

double flush(double v) { return std::fabs(v) < 0x1p-126 ? std::copysign(0.0, v) : v; }

double load_float(Warp& warp, const Instruction& i, Slot slot, Type type, int lane) {
  double out;
  switch (type) {
    case Type::f16:
      out = wide(warp.at<Half>(slot)[lane]);
      break;
    case Type::bf16:
      out = wide(warp.at<BFloat>(slot)[lane]);
      break;
    case Type::f64:
      return warp.at<double>(slot)[lane];
    default:
      out = warp.at<float>(slot)[lane];
      break;
  }
  return i.control[kFlush] != 0 && type == Type::f32 ? flush(out) : out;
}

Rounding rounding_of(const Instruction& i) { return static_cast<Rounding>(i.control[kRounding]); }

double to_integral(double v, Rounding rounding) {
  switch (rounding) {
    case Rounding::zero:
      return std::trunc(v);
    case Rounding::down:
      return std::floor(v);
    case Rounding::up:
      return std::ceil(v);
    default:
      return std::nearbyint(v);
  }
}

void float_to_integer(Warp& warp, const Instruction& i, LaneMask lanes) {
  const TypeFacts& type = facts(to(i));
  const Range range = range_of(type);
  const uint32_t width = i.control[kAddressWidth];
  std::byte* const out = warp.at<std::byte>(i.operand[0]);
  for_lanes(lanes, [&](int lane) {
    const double v = to_integral(load_float(warp, i, i.operand[1], from(i), lane), rounding_of(i));
    int64_t value;
    if (std::isnan(v)) {
      value = from(i) == Type::f64 || type.bytes == 8 ? static_cast<int64_t>(uint64_t{1} << (8 * type.bytes - 1)) : 0;
    } else if (v >= static_cast<double>(range.high)) {
      value = static_cast<int64_t>(range.high);
    } else if (v <= static_cast<double>(range.low)) {
      value = static_cast<int64_t>(range.low);
    } else {
      value = static_cast<int64_t>(static_cast<__int128>(v));
    }
    std::memcpy(out + lane * width, &value, width);
  });
}

void store_float(Warp& warp, const Instruction& i, Slot slot, Type type, int lane, double value) {
  if (i.control[kRelu] != 0 && value < 0) value = 0;
  if (i.control[kSaturate] != 0) value = std::isnan(value) ? 0 : std::fmin(std::fmax(value, 0.0), 1.0);
  switch (type) {
    case Type::f16:
      warp.at<Half>(slot)[lane] = narrow<Half>(value, rounding_of(i));
      break;
    case Type::bf16:
      warp.at<BFloat>(slot)[lane] = narrow<BFloat>(value, rounding_of(i));
      break;
    case Type::f64:
      warp.at<double>(slot)[lane] = value;
      break;
    case Type::tf32:
      warp.at<float>(slot)[lane] = narrow<float>(round_to(value, kTf32, rounding_of(i)));
      break;
    default: {
      const float out = narrow<float>(value, rounding_of(i));
      warp.at<float>(slot)[lane] = i.control[kFlush] != 0 ? static_cast<float>(flush(out)) : out;
    }
  }
}

void float_to_float(Warp& warp, const Instruction& i, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) {
    double value = load_float(warp, i, i.operand[1], from(i), lane);
    if (i.control[kIntegral] != 0) value = to_integral(value, rounding_of(i));
    store_float(warp, i, i.operand[0], to(i), lane, value);
  });
}

/// The conversions between formats that ask for nothing but the nearest value.
template <class D, class S>
void to_nearest(Warp& warp, const Instruction& i, LaneMask lanes) {
  D* const out = warp.at<D>(i.operand[0]);
  const S* const in = warp.at<S>(i.operand[1]);
  for_lanes(lanes, [&](int lane) { out[lane] = narrow<D>(wide(in[lane])); });
}

template <class D>
Execute to_nearest_from(Type type) {
  switch (type) {
    case Type::f16:
      return to_nearest<D, Half>;
    case Type::bf16:
      return to_nearest<D, BFloat>;
    case Type::f32:
      return to_nearest<D, float>;
    default:
      return to_nearest<D, double>;
  }
}

Execute float_conversion(const Instruction& i) {
  const bool plain = rounding_of(i) == Rounding::nearest_even && !i.control[kSaturate] && !i.control[kFlush] &&
                     !i.control[kRelu] && !i.control[kIntegral];
  switch (plain ? to(i) : Type::pred) {
    case Type::f16:
      return to_nearest_from<Half>(from(i));
    case Type::bf16:
      return to_nearest_from<BFloat>(from(i));
    case Type::f32:
      return to_nearest_from<float>(from(i));
    case Type::f64:
      return to_nearest_from<double>(from(i));
    default:
      return float_to_float;
  }
}

/// 64-bit integers may need one rounding to f32 that f64 in between would spoil, so the machine's own conversion does
/// it.
template <class D, class S>
D convert_rounded(S value, Rounding rounding) {
  static constexpr int kModes[] = {FE_TONEAREST, FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  if (rounding != Rounding::nearest_even) std::fesetround(kModes[static_cast<int>(rounding)]);
  volatile S in = value;
  volatile D out = static_cast<D>(in);
  if (rounding != Rounding::nearest_even) std::fesetround(FE_TONEAREST);
  return out;
}

void integer_to_float(Warp& warp, const Instruction& i, LaneMask lanes) {
  const TypeFacts& type = facts(from(i));
  const uint32_t width = i.control[kAddressWidth];
  const std::byte* const source = warp.at<std::byte>(i.operand[1]);
  for_lanes(lanes, [&](int lane) {
    uint64_t bits = 0;
    std::memcpy(&bits, source + lane * width, width);
    const int64_t value = cut(bits, type);
    const Rounding rounding = rounding_of(i);
    if (to(i) == Type::f32) {
      warp.at<float>(i.operand[0])[lane] = type.is_signed
                                               ? convert_rounded<float>(value, rounding)
                                               : convert_rounded<float>(static_cast<uint64_t>(value), rounding);
    } else {
      const double exact = type.is_signed ? convert_rounded<double>(value, rounding)
                                          : convert_rounded<double>(static_cast<uint64_t>(value), rounding);
      store_float(warp, i, i.operand[0], to(i), lane, exact);
    }
  });
}

/// cvt.rn.bf16x2.f32 d, a, b: a becomes the high half.
void floats_to_pair(Warp& warp, const Instruction& i, LaneMask lanes) {
  const bool half = to(i) == Type::f16x2;
  for_lanes(lanes, [&](int lane) {
    const auto bits = [&](Slot slot) -> uint32_t {
      double v = warp.at<float>(slot)[lane];
      if (i.control[kRelu] != 0 && v < 0) v = 0;
      return half ? narrow<Half>(v, rounding_of(i)).bits : narrow<BFloat>(v, rounding_of(i)).bits;
    };
    warp.at<uint32_t>(i.operand[0])[lane] = bits(i.operand[1]) << 16 | bits(i.operand[2]);
  });
}

template <class D>
Execute integers(uint32_t source_width) {
  return source_width == 2   ? integer_to_integer<D, uint16_t>
         : source_width == 4 ? integer_to_integer<D, uint32_t>
                             : integer_to_integer<D, uint64_t>;
}

Rounding named_rounding(const Opcode& op) {
  if (op.has("rz") || op.has("rzi")) return Rounding::zero;
  if (op.has("rm") || op.has("rmi")) return Rounding::down;
  if (op.has("rp") || op.has("rpi")) return Rounding::up;
  return op.has("rna") ? Rounding::nearest_away : Rounding::nearest_even;
}

void decode(Builder& builder, const Opcode& op, const Statement& s) {
  const Type to_type = op.type(0), from_type = op.type(1);
  const TypeFacts &d = facts(to_type), &a = facts(from_type);
  const bool pair = to_type == Type::f16x2 || to_type == Type::bf16x2;
  if (op.has("pack") || (pair && (from_type != Type::f32 || s.operands.size() != 3)))
    builder.fail("this cvt is not in the interpreter: " + std::string(op.text));
  Instruction& i = builder.emit(nullptr);
  i.control[kTo] = static_cast<uint8_t>(to_type);
  i.control[kFrom] = static_cast<uint8_t>(from_type);
  i.control[kRounding] = static_cast<uint8_t>(named_rounding(op));
  i.control[kSaturate] = op.has("sat");
  i.control[kFlush] = op.has("ftz");
  i.control[kRelu] = op.has("relu");
  i.control[kIntegral] = op.has("rni") || op.has("rzi") || op.has("rmi") || op.has("rpi");
  uint32_t d_width = std::max<uint32_t>(d.bytes, 2), a_width = std::max<uint32_t>(a.bytes, 2);
  i.operand[0] = builder.any_slot(s.operands[0], d_width);
  i.operand[1] = builder.any_slot(s.operands[1], a_width);
  if (pair) {
    i.operand[2] = builder.slot(s.operands[2], 4);
    i.execute = floats_to_pair;
  } else if (d.is_float && a.is_float) {
    i.execute = float_conversion(i);
  } else if (d.is_float) {
    i.control[kAddressWidth] = static_cast<uint8_t>(a_width);
    i.execute = integer_to_float;
  } else if (a.is_float) {
    i.control[kAddressWidth] = static_cast<uint8_t>(d_width);
    i.execute = float_to_integer;
  } else {
    i.execute = d_width == 2   ? integers<uint16_t>(a_width)
                : d_width == 4 ? integers<uint32_t>(a_width)
                               : integers<uint64_t>(a_width);
  }
}

}  // namespace

void add_convert_families(OpcodeTable& t) { t.family("cvt", decode); }

}  // namespace ptx
