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

bool at_barrier(const Group& group) { return group.wait == Group::Wait::for_block_barrier || group.wait == Group::Wait::for_warp_barrier; }

bool all_written(const uint8_t* written, uint32_t bytes) {
  static constexpr uint8_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  switch (bytes) {
    case 2: return std::memcmp(written, kOnes, 2) == 0;
    case 4: return std::memcmp(written, kOnes, 4) == 0;
    case 8: return std::memcmp(written, kOnes, 8) == 0;
    case 16: return std::memcmp(written, kOnes, 16) == 0;
    default: return std::memcmp(written, kOnes, bytes) == 0;
  }
}

void mark_written(uint8_t* written, uint32_t bytes) {
  switch (bytes) {
    case 2: std::memset(written, 1, 2); break;
    case 4: std::memset(written, 1, 4); break;
    case 8: std::memset(written, 1, 8); break;
    case 16: std::memset(written, 1, 16); break;
    default: std::memset(written, 1, bytes); break;
  }
}

/// The value of a special register in one lane of a warp.
uint64_t special_value(std::string_view name, Block& block, int warp, uint32_t lane) {
  const Launch& launch = block.launch();
  const uint64_t thread = uint64_t{kWarpSize} * warp + lane;
  const auto coordinate = [&](const Extent& extent) { return name.back() == 'x' ? extent.x : name.back() == 'y' ? extent.y : extent.z; };
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

Touch touch_of(Warp::Use use) { return use == Warp::Use::read ? Touch::read : use == Warp::Use::write ? Touch::write : Touch::atomic; }

}  // namespace

Warp::Warp(Block& block, int number) : block_(block), number_(number), registers_(register_file(number, block.launch().kernel.register_bytes)) {
  const Kernel& kernel = block.launch().kernel;
  for (const Constant& constant : kernel.constants) {
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) std::memcpy(registers_ + constant.slot + lane * constant.width, &constant.bits, constant.width);
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
    if (!at_barrier(group) && group.pc > current_.pc && group.returns == current_.returns) limit_ = std::min(limit_, group.pc);
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
  if ((lanes & ~awaited) != 0) report(i, std::countr_zero(lanes & ~awaited), fmt::format("the lane is not in its own member mask {:#x}", awaited));
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
    const auto is_party = [&](const Group& g) { return g.wait == Group::Wait::for_warp_barrier && g.awaited == awaited; };
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
  throw Finding(fmt::format("[ptx] {}, block ({},{},{}), thread ({},{},{}), line {} of the PTX{}: {}", kernel.name, block.x, block.y, block.z,
                            thread % launch.threads.x, thread / launch.threads.x % launch.threads.y,
                            thread / launch.threads.x / launch.threads.y, i.line,
                            source != 0 ? fmt::format(" (source line {})", source) : "", what));
}

template <class F>
void Warp::reporting(const Instruction& i, const int& lane, F&& access) const {
  try {
    access();
  } catch (const Finding& finding) {
    if (std::string_view(finding.what()).starts_with("[ptx]")) throw;
    report(i, lane, finding.what());
  }
}

uint64_t Warp::address_of(const Instruction& i, Slot address, int lane) {
  const uint64_t base = i.control[kAddressWidth] == 4 ? at<uint32_t>(address)[lane] : at<uint64_t>(address)[lane];
  return base + static_cast<uint64_t>(i.value);
}

std::byte* Warp::checked(const Instruction& i, uint64_t address, Space space, Use use, uint32_t bytes, uint32_t alignment, int lane) {
  if (address % alignment != 0) report(i, lane, fmt::format("misaligned: {} bytes at address {:#x}", alignment, address));
  if (space == Space::generic) {
    if (address >= kDeviceBase) space = Space::global;
    else if (address - kSharedWindow < kWindowBytes) space = Space::shared, address -= kSharedWindow;
    else if (address - kLocalWindow < kWindowBytes) space = Space::local, address -= kLocalWindow;
    else if (address - kParameterWindow < kWindowBytes) space = Space::parameter, address -= kParameterWindow;
    else space = Space::global;
  }
  const auto within = [&](uint64_t size, const char* name) {
    if (address + bytes > size || address + bytes < bytes) {
      report(i, lane, fmt::format("{} bytes at {} of {} {} bytes", bytes, static_cast<int64_t>(address), size, name));
    }
  };
  switch (space) {
    case Space::shared: {
      SharedMemory& shared = block_.shared();
      within(shared.bytes(), "shared");
      shared.touch(touch_of(use), block_.clocks(), number_, lane, static_cast<uint32_t>(address), bytes);
      return shared.data(static_cast<uint32_t>(address));
    }
    case Space::local: {
      const uint32_t size = block_.launch().kernel.local_bytes;
      within(size, "local");
      const size_t offset = size_t{size} * lane + address;
      if (use == Use::write) std::memset(&local_written_[offset], 1, bytes);
      else if (!all_written(&local_written_[offset], bytes)) report(i, lane, fmt::format("reads local byte {} that nothing wrote", address));
      return &local_[offset];
    }
    case Space::parameter:
      within(block_.launch().parameters.size(), "parameter");
      return const_cast<std::byte*>(&block_.launch().parameters[address]);
    default: break;
  }
  if (!last_allocation_ || !last_allocation_->holds(address, bytes)) last_allocation_ = &block_.memory().at(address, bytes);
  const uint64_t offset = address - last_allocation_->begin;
  uint8_t* written = &last_allocation_->written[offset];
  if (use == Use::write) mark_written(written, bytes);
  else if (!all_written(written, bytes)) report(i, lane, fmt::format("reads {} bytes at {:#x} of which something was never written", bytes, address));
  return last_allocation_->data + offset;
}

bool Warp::in_last_allocation(const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment, LaneMask lanes, std::byte** pointers) {
  if (!last_allocation_ || last_allocation_->freed || last_allocation_->bytes < bytes) return false;
  const Allocation& memory = *last_allocation_;
  const uint64_t last = memory.bytes - bytes;
  bool outside = false;
  for_lanes(lanes, [&](int lane) {
    const uint64_t offset = addresses[lane] - memory.begin;
    outside |= offset > last || (addresses[lane] & (alignment - 1)) != 0;
    pointers[lane] = memory.data + offset;
  });
  if (outside) return false;
  bool written = true;
  for_lanes(lanes, [&](int lane) {
    uint8_t* const shadow = memory.written.get() + (addresses[lane] - memory.begin);
    if (use == Use::write) mark_written(shadow, bytes);
    else written = written && all_written(shadow, bytes);
  });
  return written;
}

bool Warp::in_shared(const Instruction& i, const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment, LaneMask lanes, std::byte** pointers) {
  SharedMemory& shared = block_.shared();
  bool outside = shared.bytes() < bytes;
  for_lanes(lanes, [&](int lane) { outside |= addresses[lane] > shared.bytes() - bytes || (addresses[lane] & (alignment - 1)) != 0; });
  if (outside) return false;
  int at = 0;
  reporting(i, at, [&] {
    for_lanes(lanes, [&](int lane) {
      at = lane;
      const auto offset = static_cast<uint32_t>(addresses[lane]);
      shared.touch(touch_of(use), block_.clocks(), number_, lane, offset, bytes);
      pointers[lane] = shared.data(offset);
    });
  });
  return true;
}

void Warp::resolve(const Instruction& i, Slot address, Space space, Use use, uint32_t bytes, LaneMask lanes, std::byte** pointers, uint32_t alignment) {
  uint64_t addresses[kWarpSize] = {};
  if (alignment == 0) alignment = bytes;
  for_lanes(lanes, [&](int lane) { addresses[lane] = address_of(i, address, lane); });
  const bool on_device = space == Space::global || space == Space::generic || space == Space::constant;
  const bool done = on_device ? in_last_allocation(addresses, use, bytes, alignment, lanes, pointers)
                              : space == Space::shared && in_shared(i, addresses, use, bytes, alignment, lanes, pointers);
  if (!done) {
    for_lanes(lanes, [&](int lane) {
      reporting(i, lane, [&] { pointers[lane] = checked(i, addresses[lane], space, use, bytes, alignment, lane); });
    });
  }
  if (!counting() || space == Space::parameter || space == Space::local) return;
  const uint64_t first = addresses[std::countr_zero(lanes)];
  if (space == Space::shared || first - kSharedWindow < kWindowBytes) block_.counters().shared_request(addresses, lanes, bytes);
  else block_.counters().global_request(addresses, lanes, bytes);
}

void Warp::copy_local(uint32_t from, uint32_t to, uint32_t bytes, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) {
    const size_t own = size_t{block_.launch().kernel.local_bytes} * lane;
    std::memcpy(&local_[own + to], &local_[own + from], bytes);
    std::memcpy(&local_written_[own + to], &local_written_[own + from], bytes);
  });
}

void Warp::commit_copies(LaneMask lanes) {
  for_lanes(lanes, [&](int lane) { ++commits_[lane]; });
}

void Warp::wait_for_copies(const Instruction& i, LaneMask lanes, uint32_t groups_that_may_be_open) {
  std::erase_if(copies_, [&](const AsyncCopy& copy) {
    const bool done = (lanes >> copy.lane & 1) != 0 && uint64_t{copy.group} + groups_that_may_be_open < commits_[copy.lane];
    if (done) reporting(i, copy.lane, [&] { block_.shared().arrive(block_.clocks(), number_, copy.lane, copy.offset, copy.data, copy.bytes); });
    return done;
  });
}

void Warp::wait_for_all_copies(const Instruction& i, LaneMask lanes) {
  commit_copies(lanes);
  wait_for_copies(i, lanes, 0);
}

void Warp::add_copy(const Instruction& i, const AsyncCopy& copy) {
  const uint32_t size = block_.shared().bytes();
  if (copy.offset % copy.bytes != 0) report(i, copy.lane, fmt::format("misaligned: {} bytes to shared byte {}", copy.bytes, copy.offset));
  if (uint64_t{copy.offset} + copy.bytes > size) report(i, copy.lane, fmt::format("{} bytes at {} of {} shared bytes", copy.bytes, copy.offset, size));
  reporting(i, copy.lane, [&] { block_.shared().promise(block_.clocks(), number_, copy.lane, copy.offset, copy.bytes); });
  copies_.push_back(copy);
}

}  // namespace ptx
