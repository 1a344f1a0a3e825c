/// A warp: registers of 32 lanes, and the groups of lanes that stand at the same instruction.
#pragma once

#include <vector>

#include "memory.h"
#include "program.h"
#include "shared_memory.h"

namespace ptx {

class Block;

/// Lanes with the same program counter and the same calls above them. Of several groups the one deepest in calls and
/// then lowest in the code runs, so lanes that parted meet again where their ways join.
struct Group {
  uint32_t pc = 0;
  LaneMask lanes = 0;
  std::vector<uint32_t> returns;
  enum class Wait : uint8_t { none, for_lanes, for_warp_barrier, for_block_barrier } wait = Wait::none;
  LaneMask awaited = 0;             // for_lanes, for_warp_barrier: the lanes that must come
  uint32_t barrier = 0;             // for_block_barrier
  const Instruction* at = nullptr;  // the instruction that waits
  bool same_place(const Group& other) const { return pc == other.pc && returns == other.returns; }
};

/// One cp.async whose data the waits of its lane have not demanded yet.
struct AsyncCopy {
  int lane;
  uint32_t group;  // number of the commit that closes it
  uint32_t offset, bytes;
  std::byte data[16];
};

class Warp {
 public:
  Warp(Block& block, int number);

  /// Registers and lanes at the start of a block; threads beyond the block's size have exited.
  void start(LaneMask lanes);
  /// Runs until every group waits or has exited, or the budget is used up. Returns whether anything ran.
  bool run(int64_t budget);

  // For handlers.
  template <class T>
  T* at(Slot slot) {
    return reinterpret_cast<T*>(registers_ + slot);
  }
  LaneMask predicate(Slot slot) {
    const LaneMask mask = *at<LaneMask>(slot & ~1u);
    return (slot & 1u) != 0 ? ~mask : mask;
  }
  void set_predicate(Slot slot, LaneMask value, LaneMask lanes) {
    LaneMask& mask = *at<LaneMask>(slot);
    mask = (mask & ~lanes) | (value & lanes);
  }
  /// Pointers to `bytes` (up to 16) at each lane's address, after all checks. alignment: of the address, 0 for `bytes`.
  enum class Use : uint8_t { read, write, atomic };
  void resolve(const Instruction& i, Slot address, Space space, Use use, uint32_t bytes, LaneMask lanes,
               std::byte** pointers, uint32_t alignment = 0);
  void copy_local(uint32_t from, uint32_t to, uint32_t bytes, LaneMask lanes);
  uint64_t address_of(const Instruction& i, Slot address, int lane);
  void branch(LaneMask taken, uint32_t target);
  void again(LaneMask lanes);  // these lanes come back to the instruction that runs
  void call(uint32_t target, LaneMask lanes);
  void leave(LaneMask lanes);  // ret
  void exit(LaneMask lanes);
  /// True when all awaited lanes stand here; otherwise the group waits and runs the instruction again with them.
  bool converged(const Instruction& i, LaneMask lanes, LaneMask awaited);
  void warp_barrier(const Instruction& i, LaneMask lanes, LaneMask awaited);
  void wait_at_block_barrier(const Instruction& i, LaneMask lanes, uint32_t barrier);
  void release(uint32_t barrier);

  void commit_copies(LaneMask lanes);
  void wait_for_copies(const Instruction& i, LaneMask lanes, uint32_t groups_that_may_be_open);
  void wait_for_all_copies(const Instruction& i, LaneMask lanes);
  void add_copy(const Instruction& i, const AsyncCopy& copy);

  /// Throws Finding with kernel, block, thread and line before the text.
  [[noreturn]] void report(const Instruction& i, int lane, const std::string& what) const;

  Block& block() { return block_; }
  int number() const { return number_; }
  LaneMask alive() const { return alive_; }
  LaneMask active() const { return current_.lanes; }
  LaneMask carry = 0;  // CC.CF of each lane
  uint32_t open_commit(int lane) const { return commits_[lane]; }
  const std::vector<Group>& waiting() const { return groups_; }

 private:
  bool pick();
  void park(const Instruction& i, LaneMask lanes, Group::Wait wait, uint32_t pc);
  void complete_warp_barriers();
  /// The common cases of resolve: all lanes in the allocation of the last access, all in shared memory. False where a
  /// closer look is needed.
  bool in_last_allocation(const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment, LaneMask lanes,
                          std::byte** pointers);
  bool in_shared(const Instruction& i, const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment,
                 LaneMask lanes, std::byte** pointers);
  std::byte* checked(const Instruction& i, uint64_t address, Space space, Use use, uint32_t bytes, uint32_t alignment,
                     int lane);

  template <class F>
  void reporting(const Instruction& i, const int& lane, F&& access) const;

  Block& block_;
  int number_;
  std::byte* registers_;
  std::vector<std::byte> local_;
  std::vector<uint8_t> local_written_;
  LaneMask alive_ = 0;
  Group current_;
  uint32_t limit_ = 0;  // the lowest pc at which another group stands
  bool stop_ = false;   // current_ waits, has left, or must be chosen anew
  std::vector<Group> groups_;
  Allocation* last_allocation_ = nullptr;
  std::vector<AsyncCopy> copies_;
  std::array<uint32_t, kWarpSize> commits_{};
};

/// Calls f(lane) for each lane of the mask.
template <class F>
inline void for_lanes(LaneMask lanes, F&& f) {
  if (lanes == kAllLanes) {
    for (int lane = 0; lane < kWarpSize; ++lane) f(lane);
  } else {
    for (; lanes != 0; lanes &= lanes - 1) f(__builtin_ctz(lanes));
  }
}

}  // namespace ptx
