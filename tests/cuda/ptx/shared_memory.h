/// The shared memory of a block, with a shadow that knows what was written and who touched what since which barrier.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "program.h"

namespace ptx {

inline constexpr int kMaxWarps = 32;

/// What each warp knows of the others: clock[w][v] is the last barrier interval of warp v that happened before what
/// warp w does now. Within a warp, lanes are ordered by warp-level barriers alone.
class Clocks {
 public:
  /// All that was before happened before what any warp does now.
  void reset(int warps);
  uint32_t now(int warp) const { return clock_[warp][warp]; }
  bool happened_before(int warp, uint32_t interval, int observer) const {
    return interval < clock_[observer][warp] + (warp != observer ? 1 : 0);
  }
  void warp_barrier(int warp) { ++clock_[warp][warp]; }
  /// All that the arriving warps did happens before what the leaving ones do next.
  void block_barrier(const std::vector<int>& arriving, const std::vector<int>& leaving);

 private:
  std::array<std::array<uint32_t, kMaxWarps>, kMaxWarps> clock_{};
};

enum class Touch : uint8_t { read, write, atomic };

class SharedMemory {
 public:
  /// For the next block: nothing is written, and what the last one touched lies before the clocks' reset.
  void reset(uint32_t bytes);
  uint32_t bytes() const { return static_cast<uint32_t>(data_.size()); }
  std::byte* data(uint32_t offset) { return data_.data() + offset; }

  /// One lane's access of bytes that lie within bounds. Throws Finding: never written, promised by a cp.async that
  /// nobody waited for, or a race with another lane.
  void touch(Touch kind, const Clocks& clocks, int warp, int lane, uint32_t offset, uint32_t size) {
    if (kind == Touch::read && read_again(clocks.now(warp), warp, lane, offset, size)) return;
    touch_first(kind, clocks, warp, lane, offset, size);
  }
  /// A cp.async may land in these bytes from now until `arrive`.
  void promise(const Clocks& clocks, int warp, int lane, uint32_t offset, uint32_t size);
  void arrive(const Clocks& clocks, int warp, int lane, uint32_t offset, const std::byte* from, uint32_t size);

 private:
  enum State : uint8_t { kNeverWritten, kWritten, kPromised };
  struct Party {  // lanes of one warp in one barrier interval
    uint32_t interval = 0;
    LaneMask lanes = 0;
    uint8_t warp = 0;
  };
  struct Record {
    Party writer, readers[2];  // the readers are of different warps
    bool by_atomic = false;
    bool in_parts = false;  // of a word: its bytes were touched one by one and have records of their own
  };
  /// The common case: the warp has read these words since its last barrier, and no lane of it has written them.
  bool read_again(uint32_t now, int warp, int lane, uint32_t offset, uint32_t size) {
    static constexpr uint32_t kAllWritten = 0x01010101u * kWritten;
    if ((offset | size) % 4 != 0) return false;
    for (uint32_t at = offset; at < offset + size; at += 4) {
      Record& word = words_[at / 4];
      uint32_t state;
      std::memcpy(&state, &state_[at], 4);
      if (state != kAllWritten || word.in_parts || word.readers[0].warp != warp || word.readers[0].interval != now)
        return false;
      if (word.writer.warp == warp && word.writer.interval == now) return false;
      word.readers[0].lanes |= LaneMask{1} << lane;
    }
    return true;
  }
  void touch_first(Touch kind, const Clocks& clocks, int warp, int lane, uint32_t offset, uint32_t size);
  void check(Record& record, Touch kind, const Clocks& clocks, int warp, int lane, uint32_t offset);

  std::vector<std::byte> data_;
  std::vector<uint8_t> state_;
  std::vector<Record> words_, bytes_;
};

}  // namespace ptx
