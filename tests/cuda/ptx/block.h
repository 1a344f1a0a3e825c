/// A block: its warps, shared memory and barriers, and the launch that runs one block after another.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "counters.h"
#include "memory.h"
#include "program.h"
#include "shared_memory.h"
#include "warp.h"

namespace ptx {

struct Extent {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t size() const { return uint64_t{x} * y * z; }
};

struct Launch {
  const Kernel& kernel;
  Extent grid, threads;
  uint32_t dynamic_shared_bytes = 0;
  std::vector<std::byte> parameters;  // Kernel::parameter_bytes
};

enum class Reduction : uint8_t { popc, all, any };

class Block {
 public:
  Block(const Launch& launch, Memory& memory, Counters& counters);
  /// Throws Finding.
  void run(Extent index);

  const Launch& launch() const { return launch_; }
  Extent index() const { return index_; }
  Memory& memory() { return memory_; }
  SharedMemory& shared() { return shared_; }
  Clocks& clocks() { return clocks_; }
  Counters& counters() { return counters_; }

  /// Lanes of a warp come to a barrier; they wait there unless they only arrive. expected: threads, 0 for all that have
  /// not exited.
  void arrive(const Instruction& i, Warp& warp, LaneMask lanes, uint32_t barrier, uint32_t expected, bool waits);
  /// What bar.red brings to a barrier and takes from the last one that was complete.
  void reduce(uint32_t barrier, LaneMask values, LaneMask lanes);
  uint32_t reduced(uint32_t barrier, Reduction reduction) const;
  void lanes_exited() { check_barriers_ = true; }

 private:
  struct Barrier {
    uint32_t arrived = 0, expected = 0;
    std::vector<int> arriving, leaving;  // warps
    uint32_t votes = 0, voters = 0, last_votes = 0, last_voters = 0;
  };
  void complete_barriers();
  [[noreturn]] void report_deadlock() const;

  const Launch& launch_;
  Memory& memory_;
  Counters& counters_;
  Extent index_;
  SharedMemory shared_;
  Clocks clocks_;
  std::array<Barrier, 16> barriers_;
  std::vector<std::unique_ptr<Warp>> warps_;
  bool check_barriers_ = false;
};

/// Runs all blocks. Throws Finding with "kernel, block, thread, line: what".
void run_launch(const Launch& launch, Memory& memory);

}  // namespace ptx
