/// PTX ISA: mov in its plain, packing and predicate forms, cvta, isspacep.
#include <cstring>

#include "block.h"
#include "opcodes.h"

namespace ptx {
namespace {

template <class T>
void move(Warp& warp, const Instruction& i, LaneMask lanes) {
  T* const out = warp.at<T>(i.operand[0]);
  const T* const in = warp.at<T>(i.operand[1]);
  for_lanes(lanes, [&](int lane) { out[lane] = in[lane]; });
}

void move_predicate(Warp& warp, const Instruction& i, LaneMask lanes) {
  warp.set_predicate(i.operand[0], warp.predicate(i.operand[1]), lanes);
}

// control[0]: parts, [1]: bytes of a part; operand[0]: the whole, the parts follow, lowest first.
void pack(Warp& warp, const Instruction& i, LaneMask lanes) {
  const uint32_t part = i.control[1], whole = part * i.control[0];
  for_lanes(lanes, [&](int lane) {
    std::byte* out = warp.at<std::byte>(i.operand[0]) + lane * whole;
    for (uint32_t k = 0; k < i.control[0]; ++k)
      std::memcpy(out + k * part, warp.at<std::byte>(i.operand[1 + k]) + lane * part, part);
  });
}
void unpack(Warp& warp, const Instruction& i, LaneMask lanes) {
  const uint32_t part = i.control[1], whole = part * i.control[0];
  for_lanes(lanes, [&](int lane) {
    const std::byte* in = warp.at<std::byte>(i.operand[0]) + lane * whole;
    for (uint32_t k = 0; k < i.control[0]; ++k)
      std::memcpy(warp.at<std::byte>(i.operand[1 + k]) + lane * part, in + k * part, part);
  });
}

/// The clock counts the block's instructions.
void read_clock(Warp& warp, const Instruction& i, LaneMask lanes) {
  const uint64_t now = warp.block().counters().warp_instructions;
  for_lanes(lanes,
            [&](int lane) { std::memcpy(warp.at<std::byte>(i.operand[0]) + lane * i.control[0], &now, i.control[0]); });
}

void decode_mov(Builder& builder, const Opcode& op, const Statement& s) {
  const Type type = op.type();
  const Operand &to = s.operands[0], &from = s.operands[1];
  if (type == Type::pred) {
    Instruction& i = builder.emit(move_predicate);
    i.operand[0] = builder.predicate(to);
    i.operand[1] = builder.predicate(from);
    return;
  }
  const uint32_t width = bytes_of(type);
  if (to.kind == Operand::Kind::vector || from.kind == Operand::Kind::vector) {
    const bool packs = from.kind == Operand::Kind::vector;
    const std::vector<Operand>& parts = packs ? from.elements : to.elements;
    Instruction& i = builder.emit(packs ? pack : unpack);
    i.control[0] = static_cast<uint8_t>(parts.size());
    i.control[1] = static_cast<uint8_t>(width / parts.size());
    if (i.control[1] < 2) builder.fail("mov of single bytes is not in the interpreter");
    i.operand[0] = builder.slot(packs ? to : from, width);
    for (size_t k = 0; k < parts.size(); ++k) i.operand[1 + k] = builder.slot(parts[k], i.control[1]);
    return;
  }
  if (from.name.starts_with("%clock") || from.name.starts_with("%globaltimer")) {
    Instruction& i = builder.emit(read_clock);
    i.control[0] = static_cast<uint8_t>(width);
    i.operand[0] = builder.slot(to, width);
    return;
  }
  Instruction& i = builder.emit(width == 2 ? move<uint16_t> : width == 4 ? move<uint32_t> : move<uint64_t>);
  i.operand[0] = builder.slot(to, width);
  i.operand[1] = builder.slot(from, width);
}

template <class T>
void add_offset(Warp& warp, const Instruction& i, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) {
    warp.at<T>(i.operand[0])[lane] = static_cast<T>(warp.at<T>(i.operand[1])[lane] + static_cast<uint64_t>(i.value));
  });
}

uint64_t window_of(const Opcode& op) {
  if (op.has("shared") || op.has("shared::cta")) return kSharedWindow;
  if (op.has("local")) return kLocalWindow;
  return op.has("param") ? kParameterWindow : 0;  // global and constant memory lie where generic addresses say
}

void decode_cvta(Builder& builder, const Opcode& op, const Statement& s) {
  const uint32_t width = bytes_of(op.type());
  Instruction& i = builder.emit(width == 4 ? add_offset<uint32_t> : add_offset<uint64_t>);
  i.value = static_cast<int64_t>(op.has("to") ? -window_of(op) : window_of(op));
  i.operand[0] = builder.slot(s.operands[0], width);
  i.operand[1] = builder.slot(s.operands[1], width);
}

void is_in_space(Warp& warp, const Instruction& i, LaneMask lanes) {
  LaneMask out = 0;
  const auto window = static_cast<uint64_t>(i.value);
  for_lanes(lanes, [&](int lane) {
    const uint64_t address = warp.at<uint64_t>(i.operand[1])[lane];
    out |= LaneMask{window == 0 ? address >= kDeviceBase : address - window < kWindowBytes} << lane;
  });
  warp.set_predicate(i.operand[0], out, lanes);
}

void decode_isspacep(Builder& builder, const Opcode& op, const Statement& s) {
  Instruction& i = builder.emit(is_in_space);
  i.value = static_cast<int64_t>(window_of(op));
  i.operand[0] = builder.predicate(s.operands[0]);
  i.operand[1] = builder.slot(s.operands[1], 8);
}

}  // namespace

void add_move_families(OpcodeTable& t) {
  t.family("mov", decode_mov);
  t.family("cvta", decode_cvta);
  t.family("isspacep", decode_isspacep);
}

}  // namespace ptx
