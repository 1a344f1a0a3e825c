/// What the allocators of all devices share: blocks by size class, kept for reuse, and their statistics.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tensor/device.h"

namespace suanli {

/// Thread safe. A released block is given out again at once: on a device with a queue that is right as long as all work
/// on the memory runs in the order of one stream. With SUANLI_POOL=off each block has exactly the size that was asked
/// for and goes back at once: for tests under a sanitizer, whose checks do not see into a cache.
class CachingPool {
 public:
  /// `take` gives a block of the device or null when there is none, `give_back` returns one. `describe` adds what a
  /// message about exhausted memory should say of the device, such as its free bytes.
  CachingPool(std::string name, std::function<void*(int64_t)> take, std::function<void(void*)> give_back,
              std::function<std::string()> describe = {});

  /// A block of at least `bytes` > 0. Throws EnvironmentError when the device has none, also after trim().
  void* allocate(int64_t bytes);
  /// Takes back a block that allocate(bytes) gave.
  void release(void* memory, int64_t bytes) noexcept;
  /// Gives the blocks in no use back to the device.
  void trim();

  MemoryStatistics statistics() const;
  void reset_peak();

 private:
  void* take_cached(int64_t size);
  void trim_locked();

  const bool reuses_;
  std::string name_;
  std::function<void*(int64_t)> take_;
  std::function<void(void*)> give_back_;
  std::function<std::string()> describe_;
  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> cache_;
  MemoryStatistics statistics_;
};

}  // namespace suanli
