#include "block.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>

namespace ptx {
namespace {

constexpr int64_t kTurn = 10'000;  // instructions of a warp before the next one's turn

}  // namespace

Block::Block(const Launch& launch, Memory& memory, Counters& counters)
    : launch_(launch), memory_(memory), counters_(counters) {
  const int warps = static_cast<int>((launch.threads.size() + kWarpSize - 1) / kWarpSize);
  for (int number = 0; number < warps; ++number) warps_.push_back(std::make_unique<Warp>(*this, number));
}

void Block::run(Extent index) {
  index_ = index;
  const uint32_t static_shared = (launch_.kernel.shared_bytes + 15) / 16 * 16;
  shared_.reset(static_shared + launch_.dynamic_shared_bytes);
  clocks_.reset(static_cast<int>(warps_.size()));
  barriers_ = {};
  for (size_t warp = 0; warp < warps_.size(); ++warp) {
    const uint64_t threads = std::min<uint64_t>(launch_.threads.size() - warp * kWarpSize, kWarpSize);
    warps_[warp]->start(threads == kWarpSize ? kAllLanes : (1u << threads) - 1);
  }
  for (bool ran = true; ran;) {
    ran = false;
    for (const auto& warp : warps_) ran |= warp->run(kTurn);
    if (check_barriers_) complete_barriers();
  }
  for (const auto& warp : warps_) {
    if (warp->alive() != 0) report_deadlock();
  }
}

void Block::arrive(const Instruction& i, Warp& warp, LaneMask lanes, uint32_t number, uint32_t expected, bool waits) {
  Barrier& barrier = barriers_[number];
  const bool whole_warp = lanes == warp.alive();
  barrier.arrived += expected != 0 && whole_warp ? kWarpSize : static_cast<uint32_t>(std::popcount(lanes));
  barrier.expected = expected;
  barrier.arriving.push_back(warp.number());
  if (waits) {
    barrier.leaving.push_back(warp.number());
    warp.wait_at_block_barrier(i, lanes, number);
  }
  check_barriers_ = true;
}

void Block::complete_barriers() {
  check_barriers_ = false;
  uint32_t alive = 0;
  for (const auto& warp : warps_) alive += static_cast<uint32_t>(std::popcount(warp->alive()));
  for (uint32_t number = 0; number < barriers_.size(); ++number) {
    Barrier& barrier = barriers_[number];
    if (barrier.arrived == 0 || barrier.arrived < (barrier.expected != 0 ? barrier.expected : alive)) continue;
    clocks_.block_barrier(barrier.arriving, barrier.leaving);
    for (const int warp : barrier.leaving) warps_[warp]->release(number);
    Barrier next;
    next.last_votes = barrier.votes;
    next.last_voters = barrier.voters;
    barrier = next;
  }
}

void Block::reduce(uint32_t number, LaneMask values, LaneMask lanes) {
  barriers_[number].votes += static_cast<uint32_t>(std::popcount(values & lanes));
  barriers_[number].voters += static_cast<uint32_t>(std::popcount(lanes));
}

uint32_t Block::reduced(uint32_t number, Reduction reduction) const {
  const Barrier& barrier = barriers_[number];
  if (reduction == Reduction::popc) return barrier.last_votes;
  return reduction == Reduction::all ? barrier.last_votes == barrier.last_voters : barrier.last_votes != 0;
}

void Block::report_deadlock() const {
  for (const auto& warp : warps_) {
    for (const Group& group : warp->waiting()) {
      if (group.wait != Group::Wait::for_block_barrier) {
        warp->report(*group.at, std::countr_zero(group.lanes),
                     fmt::format("divergent: lanes {:#x} wait here for lanes {:#x}, which never come", group.lanes,
                                 group.awaited & warp->alive() & ~group.lanes));
      }
    }
  }
  for (const auto& warp : warps_) {
    for (const Group& group : warp->waiting()) {
      warp->report(*group.at, std::countr_zero(group.lanes),
                   fmt::format("divergent: barrier {} is never complete", group.barrier));
    }
  }
  throw Finding("[ptx] " + launch_.kernel.name + ": a block does not end");
}

void run_launch(const Launch& launch, Memory& memory) {
  Counters& counters = counters_of(launch.kernel.name);
  const auto begin = std::chrono::steady_clock::now();
  Block block(launch, memory, counters);
  for (uint32_t z = 0; z < launch.grid.z; ++z) {
    for (uint32_t y = 0; y < launch.grid.y; ++y) {
      for (uint32_t x = 0; x < launch.grid.x; ++x) block.run({x, y, z});
    }
  }
  ++counters.launches;
  counters.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace ptx
