#include "tensor/caching_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/env.h"
#include "base/error.h"

namespace suanli {

namespace {

/// Size classes: eight steps per power of two, so that at most an eighth of a block is unused.
int64_t size_class(int64_t bytes) {
  if (bytes <= 512) return (bytes + 63) / 64 * 64;
  const int64_t step =
      std::max<int64_t>(64, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(bytes - 1))) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

CachingPool::CachingPool(std::string name, std::function<void*(int64_t)> take, std::function<void(void*)> give_back,
                         bool keeps)
    : reuses_(keeps || environment("SUANLI_POOL").value_or("on") != "off"),
      name_(std::move(name)),
      take_(std::move(take)),
      give_back_(std::move(give_back)) {}

void* CachingPool::allocate(int64_t bytes) {
  void* block = try_allocate(bytes);
  if (block == nullptr) {
    throw EnvironmentError(name_ + " memory", "cannot allocate " + std::to_string(bytes) + " bytes beside " +
                                                  std::to_string(statistics().live_bytes) +
                                                  " bytes in use; use smaller batches or more memory");
  }
  return block;
}

void* CachingPool::try_allocate(int64_t bytes) {
  const int64_t size = reuses_ ? size_class(bytes) : bytes;
  const std::lock_guard lock(mutex_);
  void* block = take_cached(size);
  if (block == nullptr) block = take_(size);
  if (block == nullptr) {  // give back what is cached and try once more
    trim_locked();
    block = take_(size);
  }
  if (block == nullptr) return nullptr;
  statistics_.live_bytes += size_of_block(block, size);
  statistics_.peak_bytes = std::max(statistics_.peak_bytes, statistics_.live_bytes);
  return block;
}

void CachingPool::release(void* memory, int64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  const int64_t size = size_of_block(memory, reuses_ ? size_class(bytes) : bytes);
  larger_.erase(memory);
  statistics_.live_bytes -= size;
  if (!reuses_) {
    try {
      give_back_(memory);
    } catch (const std::exception&) {  // a device after a fault: whoever waits for it learns of it
    }
    return;
  }
  statistics_.cached_bytes += size;
  cache_[size].push_back(memory);
}

/// The smallest cached block that is large enough, and at most half as large again: batches whose sizes vary would
/// otherwise keep blocks of every size that they ever had.
void* CachingPool::take_cached(int64_t size) {
  const auto found = cache_.lower_bound(size);
  if (found == cache_.end() || found->first > size + size / 2) return nullptr;
  const int64_t found_size = found->first;
  void* block = found->second.back();
  found->second.pop_back();
  if (found->second.empty()) cache_.erase(found);
  if (found_size != size) larger_[block] = found_size;
  statistics_.cached_bytes -= found_size;
  return block;
}

int64_t CachingPool::size_of_block(const void* block, int64_t size) const {
  const auto found = larger_.find(block);
  return found == larger_.end() ? size : found->second;
}

void CachingPool::trim() {
  const std::lock_guard lock(mutex_);
  trim_locked();
}

void CachingPool::trim_locked() {
  for (auto& [size, blocks] : cache_) {
    for (void* block : blocks) give_back_(block);
  }
  cache_.clear();
  statistics_.cached_bytes = 0;
}

MemoryStatistics CachingPool::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void CachingPool::reset_peak() {
  const std::lock_guard lock(mutex_);
  statistics_.peak_bytes = statistics_.live_bytes;
}

}  // namespace suanli
