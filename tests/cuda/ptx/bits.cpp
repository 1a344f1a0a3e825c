/// PTX ISA, "Logic and Shift Instructions" and the integer instructions on bit fields.
#include <bit>
#include <type_traits>

#include "lanewise.h"

namespace ptx {
namespace {

template <class T>
T bit_and(T a, T b) {
  return a & b;
}
template <class T>
T bit_or(T a, T b) {
  return a | b;
}
template <class T>
T bit_xor(T a, T b) {
  return a ^ b;
}
template <class T>
T bit_not(T a) {
  return static_cast<T>(~a);
}
template <class T>
T c_not(T a) {
  return a == 0;
}
// A shift by the width or more empties the value or fills it with the sign.
template <class T>
T shift_left(T a, uint32_t n) {
  return n >= sizeof(T) * 8 ? T{0} : static_cast<T>(a << n);
}
template <class T>
T shift_right(T a, uint32_t n) {
  constexpr uint32_t kLast = sizeof(T) * 8 - 1;
  if (n > kLast) return std::is_signed_v<T> ? static_cast<T>(a >> kLast) : T{0};
  return static_cast<T>(a >> n);
}
template <class T>
uint32_t count_ones(T a) {
  return static_cast<uint32_t>(std::popcount(a));
}
template <class T>
uint32_t count_leading_zeros(T a) {
  return static_cast<uint32_t>(std::countl_zero(a));
}
template <class T>
T reverse(T a) {
  T out = 0;
  for (size_t k = 0; k < sizeof(T) * 8; ++k) out = static_cast<T>(out | ((a >> k & 1) << (sizeof(T) * 8 - 1 - k)));
  return out;
}
/// Position of the highest bit that differs from the sign; all ones if there is none.
template <class T>
uint32_t highest_bit(T a) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(a < 0 ? ~a : a);
  return static_cast<uint32_t>(std::bit_width(bits)) - 1u;
}
template <class T>
uint32_t highest_bit_shift(T a) {
  const uint32_t at = highest_bit(a);
  return at == ~0u ? at : static_cast<uint32_t>(sizeof(T) * 8 - 1) - at;
}
/// len = c, pos = b, both of 8 bits; beyond the value's end the sign of the field fills.
template <class T>
T extract(T a, uint32_t b, uint32_t c) {
  constexpr uint32_t kLast = sizeof(T) * 8 - 1;
  const uint32_t position = b & 0xff, length = c & 0xff;
  const uint32_t sign_at = std::min(position + length - 1, kLast);
  const T sign = std::is_signed_v<T> && length != 0 && (a >> sign_at & 1) != 0 ? T(-1) : T(0);
  T out = sign;
  for (uint32_t k = 0; k <= kLast && k < length && position + k <= kLast; ++k) {
    const T bit = T{1} << k;
    out = (a >> (position + k) & 1) != 0 ? out | bit : out & ~bit;
  }
  return out;
}
template <class T>
T insert(T a, T b, uint32_t c, uint32_t d) {
  const uint32_t position = c & 0xff, length = d & 0xff;
  for (uint32_t k = 0; k < length && position + k < sizeof(T) * 8; ++k) {
    const T bit = T{1} << (position + k);
    b = (a >> k & 1) != 0 ? b | bit : b & ~bit;
  }
  return b;
}
uint32_t look_up(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
  uint32_t out = 0;
  if (table & 0x01) out |= ~a & ~b & ~c;
  if (table & 0x02) out |= ~a & ~b & c;
  if (table & 0x04) out |= ~a & b & ~c;
  if (table & 0x08) out |= ~a & b & c;
  if (table & 0x10) out |= a & ~b & ~c;
  if (table & 0x20) out |= a & ~b & c;
  if (table & 0x40) out |= a & b & ~c;
  if (table & 0x80) out |= a & b & c;
  return out;
}
uint32_t funnel(uint64_t value, uint32_t shift) { return static_cast<uint32_t>(value >> shift); }
uint32_t funnel_left_wrap(uint32_t a, uint32_t b, uint32_t c) {
  return funnel((uint64_t{b} << 32 | a) << (c & 31), 32);
}
uint32_t funnel_left_clamp(uint32_t a, uint32_t b, uint32_t c) { return c >= 32 ? a : funnel_left_wrap(a, b, c); }
uint32_t funnel_right_wrap(uint32_t a, uint32_t b, uint32_t c) { return funnel(uint64_t{b} << 32 | a, c & 31); }
uint32_t funnel_right_clamp(uint32_t a, uint32_t b, uint32_t c) { return c >= 32 ? b : funnel_right_wrap(a, b, c); }

/// Bytes chosen from {b, a}; bit 3 of a selector repeats the byte's sign.
uint32_t permute(uint32_t a, uint32_t b, uint32_t selectors) {
  const uint64_t bytes = uint64_t{b} << 32 | a;
  uint32_t out = 0;
  for (int k = 0; k < 4; ++k) {
    const uint32_t selector = selectors >> (4 * k) & 0xf;
    auto byte = static_cast<uint8_t>(bytes >> (8 * (selector & 7)));
    if (selector & 8) byte = byte & 0x80 ? 0xff : 0;
    out |= uint32_t{byte} << (8 * k);
  }
  return out;
}
/// The other modes of prmt: which byte each result byte takes, for a shift c of 0 to 3.
template <int kMode>
uint32_t permute_mode(uint32_t a, uint32_t b, uint32_t c) {
  static constexpr uint32_t kSelectors[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543},  // f4e
      {0x5670, 0x6701, 0x7012, 0x0123},  // b4e
      {0x0000, 0x1111, 0x2222, 0x3333},  // rc8
      {0x3210, 0x3211, 0x3222, 0x3333},  // ecl
      {0x0000, 0x1110, 0x2210, 0x3210},  // ecr
      {0x1010, 0x3232, 0x1010, 0x3232},  // rc16
  };
  return permute(a, b, kSelectors[kMode][c & 3]);
}

template <class T>
void logic(OpcodeTable& t, const std::string& type) {
  t.row("and." + type, lanewise<bit_and<T>>());
  t.row("or." + type, lanewise<bit_or<T>>());
  t.row("xor." + type, lanewise<bit_xor<T>>());
  t.row("not." + type, lanewise<bit_not<T>>());
  t.row("cnot." + type, lanewise<c_not<T>>());
  t.row("shl." + type, lanewise<shift_left<T>>());
}
template <class T>
void fields(OpcodeTable& t, const std::string& signs, const std::string& size) {
  t.row("bfe." + signs + size, lanewise<extract<T>>());
  t.row("bfind." + signs + size, lanewise<highest_bit<T>>());
  t.row("bfind.shiftamt." + signs + size, lanewise<highest_bit_shift<T>>());
}
template <class T>
void counts(OpcodeTable& t, const std::string& type) {
  t.row("popc." + type, lanewise<count_ones<T>>());
  t.row("clz." + type, lanewise<count_leading_zeros<T>>());
  t.row("brev." + type, lanewise<reverse<T>>());
  t.row("bfi." + type, lanewise<insert<T>>());
}
template <auto F>
void predicates(Warp& warp, const Instruction& i, LaneMask lanes) {
  warp.set_predicate(i.operand[0], F(warp.predicate(i.operand[1]), warp.predicate(i.operand[2])), lanes);
}
template <auto F>
void predicate_logic(Builder& builder, const Opcode&, const Statement& s) {
  Instruction& i = builder.emit(predicates<F>);
  for (int k = 0; k < 3; ++k) i.operand[k] = builder.predicate(s.operands[std::min<size_t>(k, s.operands.size() - 1)]);
}
uint32_t not_first(uint32_t a, uint32_t) { return ~a; }

}  // namespace

void add_bit_rows(OpcodeTable& t) {
  logic<uint16_t>(t, "b16");
  logic<uint32_t>(t, "b32");
  logic<uint64_t>(t, "b64");
  t.row("shr.s16", lanewise<shift_right<int16_t>>());
  t.row("shr.s32", lanewise<shift_right<int32_t>>());
  t.row("shr.s64", lanewise<shift_right<int64_t>>());
  for (const std::string sign : {"u", "b"}) {
    t.row("shr." + sign + "16", lanewise<shift_right<uint16_t>>());
    t.row("shr." + sign + "32", lanewise<shift_right<uint32_t>>());
    t.row("shr." + sign + "64", lanewise<shift_right<uint64_t>>());
  }
  counts<uint32_t>(t, "b32");
  counts<uint64_t>(t, "b64");
  fields<uint32_t>(t, "u", "32");
  fields<int32_t>(t, "s", "32");
  fields<uint64_t>(t, "u", "64");
  fields<int64_t>(t, "s", "64");
  t.row("lop3.b32", lanewise<look_up>());
  t.row("shf.l.wrap.b32", lanewise<funnel_left_wrap>());
  t.row("shf.l.clamp.b32", lanewise<funnel_left_clamp>());
  t.row("shf.r.wrap.b32", lanewise<funnel_right_wrap>());
  t.row("shf.r.clamp.b32", lanewise<funnel_right_clamp>());
  t.row("prmt.b32", lanewise<permute>());
  t.row("prmt.b32.f4e", lanewise<permute_mode<0>>());
  t.row("prmt.b32.b4e", lanewise<permute_mode<1>>());
  t.row("prmt.b32.rc8", lanewise<permute_mode<2>>());
  t.row("prmt.b32.ecl", lanewise<permute_mode<3>>());
  t.row("prmt.b32.ecr", lanewise<permute_mode<4>>());
  t.row("prmt.b32.rc16", lanewise<permute_mode<5>>());
  t.family("and", predicate_logic<bit_and<uint32_t>>);
  t.family("or", predicate_logic<bit_or<uint32_t>>);
  t.family("xor", predicate_logic<bit_xor<uint32_t>>);
  t.family("not", predicate_logic<not_first>);
}

}  // namespace ptx
