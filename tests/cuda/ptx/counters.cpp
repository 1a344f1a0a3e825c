#include "counters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace ptx {
namespace {

struct Table {
  std::map<std::string, Counters> rows;
  ~Table() {
    if (!counting()) return;
    fmt::print(stderr, "[ptx] {:<40} {:>8} {:>14} {:>10} {:>9} {:>10} {:>9} {:>8}\n", "kernel", "launches",
               "instructions", "requests", "sectors/r", "shared", "passes/r", "conflict");
    for (const auto& [name, row] : rows) {
      const auto per = [](uint64_t a, uint64_t b) {
        return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
      };
      fmt::print(stderr, "[ptx] {:<40} {:>8} {:>14} {:>10} {:>9.2f} {:>10} {:>9.2f} {:>8.2f}  {:.1f} M/s\n", name,
                 row.launches, row.lane_instructions, row.global_requests, per(row.global_sectors, row.global_requests),
                 row.shared_requests, per(row.shared_passes, row.shared_requests),
                 per(row.shared_passes, row.shared_least_passes),
                 row.seconds == 0 ? 0 : static_cast<double>(row.lane_instructions) / row.seconds / 1e6);
    }
  }
};

}  // namespace

bool counting() {
  static const bool on = std::getenv("SUANLI_PTX_COUNTERS") != nullptr;
  return on;
}

Counters& counters_of(const std::string& kernel) {
  static Table table;
  return table.rows[kernel];
}

void Counters::global_request(const uint64_t* addresses, uint32_t lanes, uint32_t bytes) {
  std::array<uint64_t, 64> sectors;
  size_t count = 0;
  for (; lanes != 0; lanes &= lanes - 1) {
    const uint64_t address = addresses[__builtin_ctz(lanes)];
    sectors[count++] = address / 32;
    if ((address + bytes - 1) / 32 != address / 32) sectors[count++] = (address + bytes - 1) / 32;
  }
  std::sort(sectors.begin(), sectors.begin() + count);
  ++global_requests;
  global_sectors += static_cast<uint64_t>(std::unique(sectors.begin(), sectors.begin() + count) - sectors.begin());
}

void Counters::shared_request(const uint64_t* offsets, uint32_t lanes, uint32_t bytes) {
  // Wide accesses are served in parts of 128 bytes: quarter warps of 16 bytes, half warps of 8 bytes.
  const int lanes_of_a_part = bytes >= 16 ? 8 : bytes >= 8 ? 16 : 32;
  ++shared_requests;
  for (int first = 0; first < 32; first += lanes_of_a_part) {
    std::array<std::vector<uint64_t>, 32> words_of_bank;
    for (int lane = first; lane < first + lanes_of_a_part; ++lane) {
      if ((lanes >> lane & 1) == 0) continue;
      for (uint64_t word = offsets[lane] / 4; word <= (offsets[lane] + bytes - 1) / 4; ++word) {
        std::vector<uint64_t>& bank = words_of_bank[word % 32];
        if (std::find(bank.begin(), bank.end(), word) == bank.end()) bank.push_back(word);
      }
    }
    size_t passes = 0;
    for (const auto& bank : words_of_bank) passes = std::max(passes, bank.size());
    shared_passes += passes;
    shared_least_passes += passes != 0;
  }
}

}  // namespace ptx
