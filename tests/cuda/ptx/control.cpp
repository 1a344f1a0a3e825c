/// PTX ISA, "Control Flow Instructions" and the barriers of a block and of a warp.
#include <bit>

#include "block.h"
#include "opcodes.h"

namespace ptx {
namespace {

void branch(Warp& warp, const Instruction& i, LaneMask lanes) { warp.branch(lanes, i.target); }

/// brx.idx: the lanes of each index go their way; lanes of another index come back to this instruction.
void branch_by_index(Warp& warp, const Instruction& i, LaneMask lanes) {
  const std::vector<uint32_t>& targets = warp.block().launch().kernel.branch_tables[i.target];
  const uint32_t index = warp.at<uint32_t>(i.operand[0])[std::countr_zero(lanes)];
  if (index >= targets.size()) warp.report(i, std::countr_zero(lanes), "brx.idx beyond its table");
  LaneMask same = 0;
  for_lanes(lanes, [&](int lane) { same |= LaneMask{warp.at<uint32_t>(i.operand[0])[lane] == index} << lane; });
  warp.again(lanes & ~same);
  warp.branch(same, targets[index]);
}

void call(Warp& warp, const Instruction& i, LaneMask lanes) { warp.call(i.target, lanes); }
void ret(Warp& warp, const Instruction&, LaneMask lanes) { warp.leave(lanes); }
void exit(Warp& warp, const Instruction&, LaneMask lanes) { warp.exit(lanes); }
void trap(Warp& warp, const Instruction& i, LaneMask lanes) {
  warp.report(i, std::countr_zero(lanes), "trap, or an assertion that does not hold");
}
void nothing(Warp&, const Instruction&, LaneMask) {}

void decode_bra(Builder& builder, const Opcode&, const Statement& s) {
  builder.branch_to(builder.emit(branch), s.operands[0]);
}
void decode_brx(Builder& builder, const Opcode&, const Statement& s) {
  Instruction& i = builder.emit(branch_by_index);
  i.operand[0] = builder.slot(s.operands[0], 4);
  i.target = builder.branch_table(s.operands[1]);
}
void decode_call(Builder& builder, const Opcode& op, const Statement& s) {
  if (op.has("linked"))
    builder.emit(call);
  else
    builder.call(s);
}
template <Execute kExecute>
void decode_plain(Builder& builder, const Opcode&, const Statement&) {
  builder.emit(kExecute);
}

// bar.sync, bar.arrive, bar.red. operand[0]: barrier, [1]: threads or kNoSlot, [2]: predicate of bar.red. control[0]:
// whether the lanes wait, [1]: all lanes of the warp must come together, [2]: a predicate is brought.
void block_barrier(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (i.control[1] != 0 && !warp.converged(i, lanes, warp.alive())) return;
  const int first = std::countr_zero(lanes);
  const uint32_t barrier = warp.at<uint32_t>(i.operand[0])[first];
  const uint32_t threads = i.operand[1] == kNoSlot ? 0 : warp.at<uint32_t>(i.operand[1])[first];
  if (barrier >= 16 || threads % kWarpSize != 0)
    warp.report(i, first, "a barrier above 15 or a count that is no multiple of 32");
  if (i.control[2] != 0) warp.block().reduce(barrier, warp.predicate(i.operand[2]), lanes);
  warp.block().arrive(i, warp, lanes, barrier, threads, i.control[0] != 0);
}

/// Follows the bar.red of the same barrier: operand[0]: destination, [1]: barrier; control[0]: Reduction.
void take_reduction(Warp& warp, const Instruction& i, LaneMask lanes) {
  const auto reduction = static_cast<Reduction>(i.control[0]);
  const uint32_t value = warp.block().reduced(warp.at<uint32_t>(i.operand[1])[std::countr_zero(lanes)], reduction);
  if (reduction == Reduction::popc)
    for_lanes(lanes, [&](int lane) { warp.at<uint32_t>(i.operand[0])[lane] = value; });
  else
    warp.set_predicate(i.operand[0], value != 0 ? kAllLanes : 0, lanes);
}

void warp_barrier(Warp& warp, const Instruction& i, LaneMask lanes) {
  const int first = std::countr_zero(lanes);
  const LaneMask named = warp.at<uint32_t>(i.operand[0])[first];
  if ((lanes & ~named) != 0) warp.report(i, std::countr_zero(lanes & ~named), "the lane is not in its own member mask");
  warp.warp_barrier(i, lanes, named);
}

void decode_bar(Builder& builder, const Opcode& op, const Statement& s) {
  const std::vector<Operand>& operands = s.operands;
  if (op.has("warp")) {
    Instruction& i = builder.emit(warp_barrier);
    i.operand[0] = builder.slot(operands[0], 4);
    return;
  }
  const bool reduces = op.has("red");
  const size_t first = reduces ? 1 : 0, end = operands.size() - (reduces ? 1 : 0);
  Instruction& i = builder.emit(block_barrier);
  i.control[0] = !op.has("arrive");
  i.control[1] = op.parts[0] == "bar" || op.has("aligned");
  i.control[2] = reduces;
  i.operand[0] = builder.slot(operands[first], 4);
  i.operand[1] = end > first + 1 ? builder.slot(operands[first + 1], 4) : kNoSlot;
  if (!reduces) return;
  i.operand[2] = builder.predicate(operands[end]);
  Instruction& result = builder.emit(take_reduction);
  const Reduction reduction = op.has("popc") ? Reduction::popc : op.has("and") ? Reduction::all : Reduction::any;
  result.control[0] = static_cast<uint8_t>(reduction);
  result.operand[0] = reduction == Reduction::popc ? builder.slot(operands[0], 4) : builder.predicate(operands[0]);
  result.operand[1] = builder.slot(operands[first], 4);
}

}  // namespace

void add_control_families(OpcodeTable& t) {
  t.family("bra", decode_bra);
  t.family("brx", decode_brx);
  t.family("call", decode_call);
  t.family("ret", decode_plain<ret>);
  t.family("exit", decode_plain<exit>);
  t.family("trap", decode_plain<trap>);
  t.family("brkpt", decode_plain<trap>);
  t.family("nanosleep", decode_plain<nothing>);
  t.family("bar", decode_bar);
  t.family("barrier", decode_bar);
}

}  // namespace ptx
