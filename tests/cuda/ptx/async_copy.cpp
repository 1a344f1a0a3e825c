/// PTX ISA: cp.async with its commits and waits. The data is fetched at once and held back until the wait that promises
/// it.
#include <bit>
#include <cstring>

#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

// operand[0]: shared address, [1]: global address, [2]: bytes to read, the rest is zero. control[0]: width of the
// shared address.
void copy(Warp& warp, const Instruction& i, LaneMask lanes) {
  const uint32_t bytes = i.control[1];
  std::byte* from[kWarpSize] = {};
  uint32_t sizes[kWarpSize];
  LaneMask reading = 0;
  for_lanes(lanes, [&](int lane) {
    sizes[lane] = i.operand[2] == kNoSlot ? bytes : std::min(bytes, warp.at<uint32_t>(i.operand[2])[lane]);
    if (sizes[lane] != 0) reading |= LaneMask{1} << lane;
  });
  while (reading != 0) {
    const uint32_t size = sizes[std::countr_zero(reading)];
    LaneMask same = 0;
    for_lanes(reading, [&](int lane) { same |= LaneMask{sizes[lane] == size} << lane; });
    warp.resolve(i, i.operand[1], Space::global, Warp::Use::read, size, same, from, bytes);
    reading &= ~same;
  }
  for_lanes(lanes, [&](int lane) {
    uint64_t to = i.control[0] == 4 ? warp.at<uint32_t>(i.operand[0])[lane] : warp.at<uint64_t>(i.operand[0])[lane];
    to += static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(i.target)));
    if (to - kSharedWindow < kWindowBytes) to -= kSharedWindow;
    AsyncCopy pending{lane, warp.open_commit(lane), static_cast<uint32_t>(to), bytes, {}};
    if (sizes[lane] != 0) std::memcpy(pending.data, from[lane], sizes[lane]);
    warp.add_copy(i, pending);
  });
}

void commit(Warp& warp, const Instruction&, LaneMask lanes) { warp.commit_copies(lanes); }
void wait(Warp& warp, const Instruction& i, LaneMask lanes) {
  warp.wait_for_copies(i, lanes, static_cast<uint32_t>(i.value));
}
void wait_all(Warp& warp, const Instruction& i, LaneMask lanes) { warp.wait_for_all_copies(i, lanes); }

void decode(Builder& builder, const Opcode& op, const Statement& s) {
  if (op.parts.size() < 2 || op.parts[1] != "async" || op.has("bulk") || op.has("mbarrier"))
    builder.fail("no such instruction in the interpreter: " + std::string(op.text));
  if (op.has("commit_group")) {
    builder.emit(commit);
  } else if (op.has("wait_all")) {
    builder.emit(wait_all);
  } else if (op.has("wait_group")) {
    builder.emit(wait).value = static_cast<int64_t>(s.operands[0].bits);
  } else {
    Instruction& i = builder.emit(copy);
    builder.address(i, 0, s.operands[0]);
    i.target = static_cast<uint32_t>(i.value);  // the offset of the shared address
    i.control[0] = i.control[kAddressWidth];
    builder.address(i, 1, s.operands[1]);
    i.control[1] = static_cast<uint8_t>(s.operands[2].bits);
    i.operand[2] = s.operands.size() > 3 && !op.has("L2::cache_hint") ? builder.slot(s.operands[3], 4) : kNoSlot;
  }
}

}  // namespace

void add_async_copy_families(OpcodeTable& t) { t.family("cp", decode); }

}  // namespace ptx
