/// PTX ISA, "Parallel Synchronization and Communication Instructions": atom and red.
#include <cstring>

#include "float_format.h"
#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

// operand[0]: old value or kNoSlot, [1]: address, [2]: b, [3]: c of cas. control[0]: space.
template <class T, auto F>
void atomic(Warp& warp, const Instruction& i, LaneMask lanes) {
  std::byte* at[kWarpSize];
  warp.resolve(i, i.operand[1], static_cast<Space>(i.control[0]), Warp::Use::atomic, sizeof(T), lanes, at);
  for_lanes(lanes, [&](int lane) {
    T old;
    std::memcpy(&old, at[lane], sizeof old);
    const T next = F(old, warp.at<T>(i.operand[2])[lane], warp.at<T>(i.operand[3])[lane]);
    std::memcpy(at[lane], &next, sizeof next);
    if (i.operand[0] != kNoSlot) warp.at<T>(i.operand[0])[lane] = old;
  });
}

template <class T>
T add(T a, T b, T) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat>)
    return narrow<T>(add_to_odd(wide(a), wide(b)));
  else
    return a + b;
}
template <class T>
std::array<T, 2> add_pair(std::array<T, 2> a, std::array<T, 2> b, std::array<T, 2>) {
  return {add(a[0], b[0], b[0]), add(a[1], b[1], b[1])};
}
template <class T>
T minimum(T a, T b, T) {
  return std::min(a, b);
}
template <class T>
T maximum(T a, T b, T) {
  return std::max(a, b);
}
template <class T>
T increment(T a, T b, T) {
  return a >= b ? 0 : a + 1;
}
template <class T>
T decrement(T a, T b, T) {
  return a == 0 || a > b ? b : a - 1;
}
template <class T>
T bit_and(T a, T b, T) {
  return a & b;
}
template <class T>
T bit_or(T a, T b, T) {
  return a | b;
}
template <class T>
T bit_xor(T a, T b, T) {
  return a ^ b;
}
template <class T>
T exchange(T, T b, T) {
  return b;
}
template <class T>
T compare_and_swap(T a, T b, T c) {
  return a == b ? c : a;
}

template <class T>
Execute on_bits(const Opcode& op) {
  if (op.has("and")) return atomic<T, bit_and<T>>;
  if (op.has("or")) return atomic<T, bit_or<T>>;
  if (op.has("xor")) return atomic<T, bit_xor<T>>;
  if (op.has("exch")) return atomic<T, exchange<T>>;
  return op.has("cas") ? atomic<T, compare_and_swap<T>> : nullptr;
}
template <class U, class T>
Execute on_integers(const Opcode& op) {
  if (op.has("add")) return atomic<U, add<U>>;
  if (op.has("min")) return atomic<T, minimum<T>>;
  if (op.has("max")) return atomic<T, maximum<T>>;
  if (op.has("inc")) return atomic<U, increment<U>>;
  return op.has("dec") ? atomic<U, decrement<U>> : nullptr;
}

Execute operation(const Opcode& op) {
  switch (op.type()) {
    case Type::b16:
      return on_bits<uint16_t>(op);
    case Type::b32:
      return on_bits<uint32_t>(op);
    case Type::b64:
      return on_bits<uint64_t>(op);
    case Type::u32:
      return on_integers<uint32_t, uint32_t>(op);
    case Type::s32:
      return on_integers<uint32_t, int32_t>(op);
    case Type::u64:
      return on_integers<uint64_t, uint64_t>(op);
    case Type::s64:
      return on_integers<uint64_t, int64_t>(op);
    case Type::f32:
      return op.has("add") ? atomic<float, add<float>> : nullptr;
    case Type::f64:
      return op.has("add") ? atomic<double, add<double>> : nullptr;
    case Type::f16:
      return op.has("add") ? atomic<Half, add<Half>> : nullptr;
    case Type::bf16:
      return op.has("add") ? atomic<BFloat, add<BFloat>> : nullptr;
    case Type::f16x2:
      return op.has("add") ? atomic<std::array<Half, 2>, add_pair<Half>> : nullptr;
    case Type::bf16x2:
      return op.has("add") ? atomic<std::array<BFloat, 2>, add_pair<BFloat>> : nullptr;
    default:
      return nullptr;
  }
}

void decode(Builder& builder, const Opcode& op, const Statement& s) {
  const bool returns = op.parts[0] == "atom";
  const Execute execute = operation(op);
  if (!execute) builder.fail("no such atomic operation in the interpreter: " + std::string(op.text));
  const uint32_t width = bytes_of(op.type());
  const std::vector<Operand>& operands = s.operands;
  const size_t address = returns ? 1 : 0;
  Instruction& i = builder.emit(execute);
  i.control[0] = static_cast<uint8_t>(op.has("global")                            ? Space::global
                                      : op.has("shared") || op.has("shared::cta") ? Space::shared
                                                                                  : Space::generic);
  i.operand[0] = returns && operands[0].name != "_" ? builder.slot(operands[0], width) : kNoSlot;
  builder.address(i, 1, operands[address]);
  i.operand[2] = builder.slot(operands[address + 1], width);
  i.operand[3] = operands.size() > address + 2 ? builder.slot(operands[address + 2], width) : i.operand[2];
}

}  // namespace

void add_atomic_families(OpcodeTable& t) {
  t.family("atom", decode);
  t.family("red", decode);
}

}  // namespace ptx
