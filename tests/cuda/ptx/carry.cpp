/// PTX ISA, "Extended-Precision Integer Arithmetic Instructions": a carry of each lane between one instruction and the
/// next.
#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

enum : uint8_t { kCarryIn = 1, kCarryOut = 2, kHigh = 4 };

template <class T, class Wide, auto F>
void extended(Warp& warp, const Instruction& i, LaneMask lanes) {
  T* const d = warp.at<T>(i.operand[0]);
  const T* const a = warp.at<T>(i.operand[1]);
  const T* const b = warp.at<T>(i.operand[2]);
  const T* const c = warp.at<T>(i.operand[3]);
  const LaneMask carries = (i.control[0] & kCarryIn) != 0 ? warp.carry : 0;
  for_lanes(lanes, [&](int lane) {
    const Wide sum = F(i.control[0], Wide{a[lane]}, Wide{b[lane]}, Wide{c[lane]}, Wide{carries >> lane & 1});
    d[lane] = static_cast<T>(sum);
    if ((i.control[0] & kCarryOut) == 0) return;
    const LaneMask bit = LaneMask{1} << lane;
    warp.carry = (sum >> (sizeof(T) * 8) & 1) != 0 ? warp.carry | bit : warp.carry & ~bit;
  });
}

template <class W>
W add(uint8_t, W a, W b, W, W carry) {
  return a + b + carry;
}
template <class W>
W subtract(uint8_t, W a, W b, W, W borrow) {
  return a - b - borrow;
}
template <class W>
W multiply_add(uint8_t control, W a, W b, W c, W carry) {
  constexpr int kBits = sizeof(W) * 4;
  const W product = a * b;
  const W part = (control & kHigh) != 0 ? product >> kBits : product & ((W{1} << kBits) - 1);
  return part + c + carry;
}

template <class T, class Wide>
Execute operation(std::string_view name) {
  if (name.starts_with("add")) return extended<T, Wide, add<Wide>>;
  return name.starts_with("sub") ? extended<T, Wide, subtract<Wide>> : extended<T, Wide, multiply_add<Wide>>;
}

void decode(Builder& builder, const Opcode& op, const Statement& s) {
  const std::string_view name = op.parts[0];
  const Type type = op.type();
  const bool carry_in = name.ends_with('c'), carry_out = op.has("cc");
  if (!carry_in && !carry_out) builder.fail("no such instruction in the interpreter: " + std::string(s.opcode));
  const bool signed_high = op.has("hi") && facts(type).is_signed;
  if (signed_high) builder.fail("the high half of a signed product with carry is not in the interpreter");
  const uint32_t width = bytes_of(type);
  Instruction& i =
      builder.emit(width == 8 ? operation<uint64_t, unsigned __int128>(name) : operation<uint32_t, uint64_t>(name));
  i.control[0] =
      static_cast<uint8_t>((carry_in ? kCarryIn : 0) | (carry_out ? kCarryOut : 0) | (op.has("hi") ? kHigh : 0));
  for (size_t k = 0; k < 4; ++k) i.operand[k] = builder.slot(s.operands[std::min(k, s.operands.size() - 1)], width);
}

}  // namespace

void add_carry_rows(OpcodeTable& t) {
  for (const char* name : {"add", "addc", "sub", "subc", "mad", "madc"}) t.family(name, decode);
}

}  // namespace ptx
