/// What the allocators of all devices share: blocks by size class, kept for reuse, and their statistics.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "tensor/device.h"

namespace suanli {

/// Thread safe. A released block is given out again at once: on a device with a queue that is right as long as all work
/// on the memory runs in the order of one stream. With SUANLI_POOL=off each block has exactly the size that was asked
/// for and goes back at once: for tests under a sanitizer, whose checks do not see into a cache.
class CachingPool {
 public:
  /// `take` gives a block of the device or null when there is none, `give_back` returns one. `keeps`: released blocks
  /// stay until trim() whatever SUANLI_POOL says.
  CachingPool(std::string name, std::function<void*(int64_t)> take, std::function<void(void*)> give_back,
              bool keeps = false);

  /// A block of at least `bytes` > 0. Throws EnvironmentError when the device has none, also after trim().
  void* allocate(int64_t bytes);
  /// The same, null instead of an error.
  void* try_allocate(int64_t bytes);
  /// Takes back a block that allocate(bytes) gave.
  void release(void* memory, int64_t bytes) noexcept;
  /// Gives the blocks in no use back to the device.
  void trim();

  MemoryStatistics statistics() const;
  void reset_peak();

 private:
  void* take_cached(int64_t size);
  /// Of a block that was given out for the class `size`.
  int64_t size_of_block(const void* block, int64_t size) const;
  void trim_locked();

  const bool reuses_;
  std::string name_;
  std::function<void*(int64_t)> take_;
  std::function<void(void*)> give_back_;
  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> cache_;      ///< by size, no empty entries
  std::unordered_map<const void*, int64_t> larger_;  ///< sizes of blocks in use that are larger than their class
  MemoryStatistics statistics_;
};

}  // namespace suanli
