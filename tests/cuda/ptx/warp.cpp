#include "warp.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "block.h"

namespace ptx {
namespace {

constexpr size_t kRegisterAlignment = 64;

/// The register file of the n-th warp of the block that this thread runs; it serves one launch after another.
std::byte* register_file(int number, size_t bytes) {
  struct File {
    std::byte* data = nullptr;
    size_t bytes = 0;
    ~File() { std::free(data); }
  };
  static thread_local std::array<File, kMaxWarps> files;
  File& file = files.at(number);
  if (file.bytes < bytes) {
    std::free(file.data);
    file.bytes = (bytes + kRegisterAlignment - 1) / kRegisterAlignment * kRegisterAlignment;
    file.data = static_cast<std::byte*>(std::aligned_alloc(kRegisterAlignment, file.bytes));
    std::memset(file.data, 0, file.bytes);
  }
  return file.data;
}

bool at_barrier(const Group& group) {
  return group.wait == Group::Wait::for_block_barrier || group.wait == Group::Wait::for_warp_barrier;
}

/// The value of a special register in one lane of a warp.
uint64_t special_value(std::string_view name, Block& block, int warp, uint32_t lane) {
  const Launch& launch = block.launch();
  const uint64_t thread = uint64_t{kWarpSize} * warp + lane;
  const auto coordinate = [&](const Extent& extent) {
    return name.back() == 'x' ? extent.x : name.back() == 'y' ? extent.y : extent.z;
  };
  const uint32_t bit = 1u << lane;
  if (name.starts_with("%tid.")) {
    const Extent& n = launch.threads;
    return name.back() == 'x' ? thread % n.x : name.back() == 'y' ? thread / n.x % n.y : thread / n.x / n.y;
  }
  if (name.starts_with("%ntid.")) return coordinate(launch.threads);
  if (name.starts_with("%ctaid.")) return coordinate(block.index());
  if (name.starts_with("%nctaid.")) return coordinate(launch.grid);
  if (name == "%laneid") return lane;
  if (name == "%warpid") return static_cast<uint64_t>(warp);
  if (name == "%nwarpid") return (launch.threads.size() + kWarpSize - 1) / kWarpSize;
  if (name == "%lanemask_eq") return bit;
  if (name == "%lanemask_lt") return bit - 1;
  if (name == "%lanemask_le") return bit | (bit - 1);
  if (name == "%lanemask_gt") return ~(bit | (bit - 1));
  if (name == "%lanemask_ge") return ~(bit - 1);
  if (name == "%dynamic_smem_size") return launch.dynamic_shared_bytes;
  if (name == "%total_smem_size") return block.shared().bytes();
  if (name == "%smid" || name == "%gridid") return 0;
  if (name == "%nsmid") return 1;
  throw Finding(fmt::format("[ptx] {}: the special register {} is not in the interpreter", launch.kernel.name, name));
}

}  // namespace

Warp::Warp(Block& block, int number)
    : block_(block), number_(number), registers_(register_file(number, block.launch().kernel.register_bytes)) {
  const Kernel& kernel = block.launch().kernel;
  for (const Constant& constant : kernel.constants) {
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      std::memcpy(registers_ + constant.slot + lane * constant.width, &constant.bits, constant.width);
  }
  local_.resize(size_t{kernel.local_bytes} * kWarpSize);
}

void Warp::start(LaneMask lanes) {
  for (const SpecialRegister& special : block_.launch().kernel.specials) {
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      const uint64_t value = special_value(special.name, block_, number_, lane);
      std::memcpy(registers_ + special.slot + lane * special.width, &value, special.width);
    }
  }
  local_written_.assign(local_.size(), 0);
  alive_ = lanes;
  groups_.assign(1, Group{});
  groups_[0].lanes = lanes;
  copies_.clear();
  commits_.fill(0);
}

bool Warp::pick() {
  for (size_t a = 0; a < groups_.size(); ++a) {
    for (size_t b = a + 1; b < groups_.size();) {
      if (!at_barrier(groups_[a]) && !at_barrier(groups_[b]) && groups_[a].same_place(groups_[b])) {
        groups_[a].lanes |= groups_[b].lanes;
        groups_[a].wait = Group::Wait::none;
        groups_.erase(groups_.begin() + b);
      } else {
        ++b;
      }
    }
  }
  const auto later = [](const Group& a, const Group& b) {
    return a.returns.size() != b.returns.size() ? a.returns.size() < b.returns.size() : a.pc > b.pc;
  };
  auto best = groups_.end();
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    if (group->wait == Group::Wait::none && (best == groups_.end() || later(*best, *group))) best = group;
  }
  if (best == groups_.end()) return false;
  current_ = std::move(*best);
  groups_.erase(best);
  limit_ = ~0u;
  for (const Group& group : groups_) {
    if (!at_barrier(group) && group.pc > current_.pc && group.returns == current_.returns)
      limit_ = std::min(limit_, group.pc);
  }
  stop_ = false;
  return true;
}

bool Warp::run(int64_t budget) {
  const Instruction* code = block_.launch().kernel.code.data();
  Counters& counters = block_.counters();
  bool ran = false;
  while (budget > 0 && pick()) {
    ran = true;
    while (!stop_ && current_.pc < limit_ && budget-- > 0) {
      const Instruction& i = code[current_.pc++];
      LaneMask lanes = current_.lanes;
      if (i.guard != kNoSlot) lanes &= predicate(i.guard);
      ++counters.warp_instructions;
      if (lanes == 0) continue;
      counters.lane_instructions += static_cast<uint64_t>(std::popcount(lanes));
      i.execute(*this, i, lanes);
    }
    if (current_.lanes != 0) groups_.push_back(std::move(current_));
    current_ = {};
  }
  return ran;
}

void Warp::branch(LaneMask taken, uint32_t target) {
  if (taken == current_.lanes) {
    if (target < current_.pc && !groups_.empty()) stop_ = true;
    current_.pc = target;
    return;
  }
  Group& rest = groups_.emplace_back(current_);
  rest.lanes &= ~taken;
  current_.lanes = taken;
  current_.pc = target;
  stop_ = true;
}

void Warp::again(LaneMask lanes) {
  if (lanes == 0) return;
  Group& group = groups_.emplace_back(current_);
  group.lanes = lanes;
  --group.pc;
  current_.lanes &= ~lanes;
  stop_ = true;
}

void Warp::call(uint32_t target, LaneMask lanes) {
  const uint32_t back = current_.pc;
  branch(lanes, target);
  current_.returns.push_back(back);
  stop_ = true;
}

void Warp::leave(LaneMask lanes) {
  if (current_.returns.empty()) return exit(lanes);
  branch(lanes, current_.returns.back());
  current_.returns.pop_back();
  stop_ = true;
}

void Warp::exit(LaneMask lanes) {
  alive_ &= ~lanes;
  current_.lanes &= ~lanes;
  if (current_.lanes == 0) stop_ = true;
  for (Group& group : groups_) {
    if (group.wait == Group::Wait::for_lanes) group.wait = Group::Wait::none, stop_ = true;
  }
  complete_warp_barriers();
  block_.lanes_exited();
}

void Warp::park(const Instruction& i, LaneMask lanes, Group::Wait wait, uint32_t pc) {
  Group& group = groups_.emplace_back(current_);
  group.lanes = lanes;
  group.wait = wait;
  group.at = &i;
  group.pc = pc;
  current_.lanes &= ~lanes;
  stop_ = true;
}

bool Warp::converged(const Instruction& i, LaneMask lanes, LaneMask awaited) {
  if ((lanes & ~awaited) != 0)
    report(i, std::countr_zero(lanes & ~awaited), fmt::format("the lane is not in its own member mask {:#x}", awaited));
  if ((awaited & alive_ & ~lanes) == 0) return true;
  park(i, lanes, Group::Wait::for_lanes, current_.pc - 1);
  groups_.back().awaited = awaited;
  return false;
}

void Warp::warp_barrier(const Instruction& i, LaneMask lanes, LaneMask awaited) {
  park(i, lanes, Group::Wait::for_warp_barrier, current_.pc);
  groups_.back().awaited = awaited;
  complete_warp_barriers();
}

void Warp::complete_warp_barriers() {
  for (size_t k = 0; k < groups_.size(); ++k) {
    if (groups_[k].wait != Group::Wait::for_warp_barrier) continue;
    const LaneMask awaited = groups_[k].awaited;
    const auto is_party = [&](const Group& g) {
      return g.wait == Group::Wait::for_warp_barrier && g.awaited == awaited;
    };
    LaneMask here = 0;
    for (const Group& group : groups_) here |= is_party(group) ? group.lanes : 0;
    if ((awaited & alive_ & ~here) != 0) continue;
    for (Group& group : groups_) {
      if (is_party(group)) group.wait = Group::Wait::none;
    }
    block_.clocks().warp_barrier(number_);
    stop_ = true;
  }
}

void Warp::wait_at_block_barrier(const Instruction& i, LaneMask lanes, uint32_t barrier) {
  park(i, lanes, Group::Wait::for_block_barrier, current_.pc);
  groups_.back().barrier = barrier;
}

void Warp::release(uint32_t barrier) {
  for (Group& group : groups_) {
    if (group.wait == Group::Wait::for_block_barrier && group.barrier == barrier) group.wait = Group::Wait::none;
  }
}

void Warp::report(const Instruction& i, int lane, const std::string& what) const {
  const Launch& launch = block_.launch();
  const Kernel& kernel = launch.kernel;
  const Extent& block = block_.index();
  const uint64_t thread = uint64_t{kWarpSize} * number_ + lane;
  const uint32_t source = kernel.source_lines[static_cast<size_t>(&i - kernel.code.data())];
  throw Finding(fmt::format("[ptx] {}, block ({},{},{}), thread ({},{},{}), line {} of the PTX{}: {}", kernel.name,
                            block.x, block.y, block.z, thread % launch.threads.x,
                            thread / launch.threads.x % launch.threads.y, thread / launch.threads.x / launch.threads.y,
                            i.line, source != 0 ? fmt::format(" (source line {})", source) : "", what));
}

}  // namespace ptx
