/// What a kernel's launches did, summed: instructions, memory requests and what they cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace ptx {

struct Counters {
  uint64_t launches = 0, warp_instructions = 0, lane_instructions = 0;
  uint64_t global_requests = 0, global_sectors = 0;  // a request is a warp's instruction, a sector 32 aligned bytes
  uint64_t shared_requests = 0,
           shared_passes = 0;  // a pass serves each of the 32 banks one word; passes beyond the least are conflicts
  uint64_t shared_least_passes = 0;
  double seconds = 0;

  void global_request(const uint64_t* addresses, uint32_t lanes, uint32_t bytes);
  void shared_request(const uint64_t* offsets, uint32_t lanes, uint32_t bytes);
};

/// SUANLI_PTX_COUNTERS=1 counts, and prints the table on stderr when the process ends.
bool counting();

/// The sums of the kernel of that name.
Counters& counters_of(const std::string& kernel);

}  // namespace ptx
