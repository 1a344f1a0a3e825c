/// PTX ISA: ld and st of every space, type and vector width.
#include <cstring>

#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

// control: operand[0] is the address, the registers follow.
enum : size_t { kSpace, kElements, kElementBytes };

uint32_t request_bytes(const Instruction& i) { return uint32_t{i.control[kElements]} * i.control[kElementBytes]; }

template <class Memory, class Register>
void load(Warp& warp, const Instruction& i, LaneMask lanes) {
  std::byte* from[kWarpSize];
  warp.resolve(i, i.operand[0], static_cast<Space>(i.control[kSpace]), Warp::Use::read, request_bytes(i), lanes, from);
  for (size_t k = 0; k < i.control[kElements]; ++k) {
    Register* const out = warp.at<Register>(i.operand[1 + k]);
    for_lanes(lanes, [&](int lane) {
      Memory value;
      std::memcpy(&value, from[lane] + k * sizeof value, sizeof value);
      out[lane] = static_cast<Register>(value);
    });
  }
}

template <class Memory, class Register>
void store(Warp& warp, const Instruction& i, LaneMask lanes) {
  std::byte* to[kWarpSize];
  warp.resolve(i, i.operand[0], static_cast<Space>(i.control[kSpace]), Warp::Use::write, request_bytes(i), lanes, to);
  for (size_t k = 0; k < i.control[kElements]; ++k) {
    const Register* const in = warp.at<Register>(i.operand[1 + k]);
    for_lanes(lanes, [&](int lane) {
      const auto value = static_cast<Memory>(in[lane]);
      std::memcpy(to[lane] + k * sizeof value, &value, sizeof value);
    });
  }
}

/// A register may be wider than what it loads or stores; loads extend by the type's sign.
template <template <class, class> class Handler>
Execute for_widths(Type type, uint32_t register_bytes) {
  const TypeFacts& t = facts(type);
  const bool sign = t.is_signed && !t.is_float;
  const auto with_register = [&]<class M>(M) -> Execute {
    if constexpr (sizeof(M) <= 2) {
      if (register_bytes == 2) return Handler<M, uint16_t>::run;
    }
    if constexpr (sizeof(M) <= 4) {
      if (register_bytes == 4) return Handler<M, uint32_t>::run;
    }
    return register_bytes == 8 ? Handler<M, uint64_t>::run : nullptr;
  };
  switch (t.bytes) {
    case 1:
      return sign ? with_register(int8_t{}) : with_register(uint8_t{});
    case 2:
      return sign ? with_register(int16_t{}) : with_register(uint16_t{});
    case 4:
      return sign ? with_register(int32_t{}) : with_register(uint32_t{});
    case 8:
      return with_register(uint64_t{});
    default:
      return nullptr;
  }
}
template <class M, class R>
struct Load {
  static constexpr Execute run = load<M, R>;
};
template <class M, class R>
struct Store {
  static constexpr Execute run = store<M, R>;
};

Space named_space(const Opcode& op, const Builder& builder, const Operand& address) {
  if (op.has("global")) return Space::global;
  if (op.has("shared") || op.has("shared::cta")) return Space::shared;
  if (op.has("local")) return Space::local;
  if (op.has("const")) return Space::constant;
  if (op.has("param") || op.has("param::entry") || op.has("param::func")) return builder.space_of(address);
  return Space::generic;
}

void decode(Builder& builder, const Opcode& op, const Statement& s) {
  const bool is_load = op.parts[0] != "st";
  const Operand& address = s.operands[is_load ? 1 : 0];
  const Operand& value = s.operands[is_load ? 0 : 1];
  const std::vector<Operand> one = {value};
  const std::vector<Operand>& elements = value.kind == Operand::Kind::vector ? value.elements : one;
  const Type type = op.type();
  uint32_t width = std::max<uint32_t>(bytes_of(type), 2);
  Instruction& i = builder.emit(nullptr);
  builder.address(i, 0, address);
  for (size_t k = 0; k < elements.size(); ++k) i.operand[1 + k] = builder.any_slot(elements[k], width);
  i.execute = is_load ? for_widths<Load>(type, width) : for_widths<Store>(type, width);
  if (!i.execute || bytes_of(type) * elements.size() > 16)
    builder.fail("no such access in the interpreter: " + std::string(op.text));
  i.control[kSpace] = static_cast<uint8_t>(named_space(op, builder, address));
  i.control[kElements] = static_cast<uint8_t>(elements.size());
  i.control[kElementBytes] = static_cast<uint8_t>(bytes_of(type));
}

void nothing(Warp&, const Instruction&, LaneMask) {}
void decode_hint(Builder& builder, const Opcode&, const Statement&) { builder.emit(nothing); }

}  // namespace

void add_memory_families(OpcodeTable& t) {
  for (const char* name : {"ld", "ldu", "st"}) t.family(name, decode);
  // Blocks run one after another and every store is at once seen by all, so fences and cache hints have nothing to do.
  for (const char* name : {"prefetch", "prefetchu", "membar", "fence", "discard", "applypriority"})
    t.family(name, decode_hint);
}

}  // namespace ptx
