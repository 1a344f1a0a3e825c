/// PTX ISA: what the lanes of a warp tell each other: shfl, vote, match, redux, elect, activemask.
#include <bit>

#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

/// The member mask, which all lanes must agree on, once all its lanes are here; 0 while they are not.
LaneMask members(Warp& warp, const Instruction& i, Slot mask, LaneMask lanes) {
  const LaneMask named = warp.at<uint32_t>(mask)[std::countr_zero(lanes)];
  for_lanes(lanes, [&](int lane) {
    if (warp.at<uint32_t>(mask)[lane] != named) warp.report(i, lane, "the lanes name different member masks");
  });
  return warp.converged(i, lanes, named) ? named : 0;
}

enum class Shuffle : uint8_t { up, down, bfly, idx };

// operand: d, p or kNoSlot, a, b, c, member mask; control[0]: Shuffle.
void shuffle(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (members(warp, i, i.operand[5], lanes) == 0) return;
  uint32_t out[kWarpSize];
  LaneMask in_range = 0;
  for_lanes(lanes, [&](int lane) {
    const uint32_t b = warp.at<uint32_t>(i.operand[3])[lane] & 31, c = warp.at<uint32_t>(i.operand[4])[lane];
    const uint32_t own = static_cast<uint32_t>(lane), segment = c >> 8 & 31;
    const uint32_t first = own & segment, last = first | (c & 31 & ~segment);
    uint32_t from = own;
    bool valid = false;
    switch (static_cast<Shuffle>(i.control[0])) {
      case Shuffle::up:
        from = own - b;
        valid = static_cast<int32_t>(from) >= static_cast<int32_t>(last);
        break;
      case Shuffle::down:
        from = own + b;
        valid = from <= last;
        break;
      case Shuffle::bfly:
        from = own ^ b;
        valid = from <= last;
        break;
      case Shuffle::idx:
        from = first | (b & ~segment);
        valid = from <= last;
        break;
    }
    if (!valid) from = own;
    if ((lanes >> from & 1) == 0)
      warp.report(i, lane, "shfl reads lane " + std::to_string(from) + ", which does not take part");
    out[lane] = warp.at<uint32_t>(i.operand[2])[from];
    in_range |= LaneMask{valid} << lane;
  });
  for_lanes(lanes, [&](int lane) { warp.at<uint32_t>(i.operand[0])[lane] = out[lane]; });
  if (i.operand[1] != kNoSlot) warp.set_predicate(i.operand[1], in_range, lanes);
}

Slot second(Builder& builder, const Operand& operand) {
  if (operand.second.empty()) return kNoSlot;
  Operand q;
  q.name = operand.second;
  return builder.predicate(q);
}

void decode_shfl(Builder& builder, const Opcode& op, const Statement& s) {
  if (!op.has("sync")) builder.fail("shfl without .sync is not in the interpreter");
  Instruction& i = builder.emit(shuffle);
  i.control[0] = static_cast<uint8_t>(op.has("up")     ? Shuffle::up
                                      : op.has("down") ? Shuffle::down
                                      : op.has("bfly") ? Shuffle::bfly
                                                       : Shuffle::idx);
  i.operand[0] = builder.slot(s.operands[0], 4);
  i.operand[1] = second(builder, s.operands[0]);
  for (size_t k = 1; k < 5; ++k) i.operand[k + 1] = builder.slot(s.operands[k], 4);
}

enum class Vote : uint8_t { all, any, uni, ballot };

void vote(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (members(warp, i, i.operand[2], lanes) == 0) return;
  const LaneMask yes = warp.predicate(i.operand[1]) & lanes;
  const auto set = [&](bool value) { warp.set_predicate(i.operand[0], value ? kAllLanes : 0, lanes); };
  switch (static_cast<Vote>(i.control[0])) {
    case Vote::all:
      set(yes == lanes);
      break;
    case Vote::any:
      set(yes != 0);
      break;
    case Vote::uni:
      set(yes == 0 || yes == lanes);
      break;
    case Vote::ballot:
      for_lanes(lanes, [&](int lane) { warp.at<uint32_t>(i.operand[0])[lane] = yes; });
      break;
  }
}

void decode_vote(Builder& builder, const Opcode& op, const Statement& s) {
  if (!op.has("sync")) builder.fail("vote without .sync is not in the interpreter");
  Instruction& i = builder.emit(vote);
  const bool ballot = op.has("ballot");
  i.control[0] = static_cast<uint8_t>(ballot          ? Vote::ballot
                                      : op.has("all") ? Vote::all
                                      : op.has("any") ? Vote::any
                                                      : Vote::uni);
  i.operand[0] = ballot ? builder.slot(s.operands[0], 4) : builder.predicate(s.operands[0]);
  i.operand[1] = builder.predicate(s.operands[1]);
  i.operand[2] = builder.slot(s.operands[2], 4);
}

template <class T>
void match(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (members(warp, i, i.operand[3], lanes) == 0) return;
  const T* const a = warp.at<T>(i.operand[2]);
  LaneMask equal[kWarpSize];
  for_lanes(lanes, [&](int lane) {
    equal[lane] = 0;
    for_lanes(lanes, [&](int other) { equal[lane] |= LaneMask{a[lane] == a[other]} << other; });
  });
  const bool all = equal[std::countr_zero(lanes)] == lanes;
  for_lanes(lanes, [&](int lane) {
    warp.at<uint32_t>(i.operand[0])[lane] = i.control[0] == 0 ? equal[lane] : all ? lanes : 0;
  });
  if (i.operand[1] != kNoSlot) warp.set_predicate(i.operand[1], all ? kAllLanes : 0, lanes);
}

void decode_match(Builder& builder, const Opcode& op, const Statement& s) {
  const uint32_t width = bytes_of(op.type());
  Instruction& i = builder.emit(width == 4 ? match<uint32_t> : match<uint64_t>);
  i.control[0] = op.has("all");
  i.operand[0] = builder.slot(s.operands[0], 4);
  i.operand[1] = second(builder, s.operands[0]);
  i.operand[2] = builder.slot(s.operands[1], width);
  i.operand[3] = builder.slot(s.operands[2], 4);
}

template <class T, auto F>
void reduce(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (members(warp, i, i.operand[2], lanes) == 0) return;
  const T* const a = warp.at<T>(i.operand[1]);
  T out = a[std::countr_zero(lanes)];
  for_lanes(lanes & (lanes - 1), [&](int lane) { out = F(out, a[lane]); });
  for_lanes(lanes, [&](int lane) { warp.at<T>(i.operand[0])[lane] = out; });
}

template <class T>
T add(T a, T b) {
  return a + b;
}
template <class T>
T minimum(T a, T b) {
  return std::min(a, b);
}
template <class T>
T maximum(T a, T b) {
  return std::max(a, b);
}
uint32_t bit_and(uint32_t a, uint32_t b) { return a & b; }
uint32_t bit_or(uint32_t a, uint32_t b) { return a | b; }
uint32_t bit_xor(uint32_t a, uint32_t b) { return a ^ b; }

void decode_redux(Builder& builder, const Opcode& op, const Statement& s) {
  const bool is_signed = op.type() == Type::s32;
  const Execute execute =
      op.has("add")   ? reduce<uint32_t, add<uint32_t>>
      : op.has("min") ? (is_signed ? reduce<int32_t, minimum<int32_t>> : reduce<uint32_t, minimum<uint32_t>>)
      : op.has("max") ? (is_signed ? reduce<int32_t, maximum<int32_t>> : reduce<uint32_t, maximum<uint32_t>>)
      : op.has("and") ? reduce<uint32_t, bit_and>
      : op.has("or")  ? reduce<uint32_t, bit_or>
                      : reduce<uint32_t, bit_xor>;
  if (bytes_of(op.type()) != 4 || facts(op.type()).is_float) builder.fail("redux of floats is not in the interpreter");
  Instruction& i = builder.emit(execute);
  for (size_t k = 0; k < 3; ++k) i.operand[k] = builder.slot(s.operands[k], 4);
}

void elect(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (members(warp, i, i.operand[2], lanes) == 0) return;
  const auto leader = static_cast<uint32_t>(std::countr_zero(lanes));
  for_lanes(lanes, [&](int lane) { warp.at<uint32_t>(i.operand[0])[lane] = leader; });
  warp.set_predicate(i.operand[1], 1u << leader, lanes);
}

void decode_elect(Builder& builder, const Opcode&, const Statement& s) {
  Instruction& i = builder.emit(elect);
  i.operand[0] = builder.slot(s.operands[0], 4);
  i.operand[1] = second(builder, s.operands[0]);
  i.operand[2] = builder.slot(s.operands[1], 4);
}

void active_mask(Warp& warp, const Instruction& i, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) { warp.at<uint32_t>(i.operand[0])[lane] = lanes; });
}
void decode_activemask(Builder& builder, const Opcode&, const Statement& s) {
  builder.emit(active_mask).operand[0] = builder.slot(s.operands[0], 4);
}

}  // namespace

void add_warp_families(OpcodeTable& t) {
  t.family("shfl", decode_shfl);
  t.family("vote", decode_vote);
  t.family("match", decode_match);
  t.family("redux", decode_redux);
  t.family("elect", decode_elect);
  t.family("activemask", decode_activemask);
}

}  // namespace ptx
