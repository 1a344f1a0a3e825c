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
                         std::function<std::string()> describe)
    : reuses_(environment("SUANLI_POOL").value_or("on") != "off"),
      name_(std::move(name)),
      take_(std::move(take)),
      give_back_(std::move(give_back)),
      describe_(std::move(describe)) {}

void* CachingPool::allocate(int64_t bytes) {
  const int64_t size = reuses_ ? size_class(bytes) : bytes;
  const std::lock_guard lock(mutex_);
  void* block = take_cached(size);
  if (block == nullptr) block = take_(size);
  if (block == nullptr) {  // give back what is cached and try once more
    trim_locked();
    block = take_(size);
  }
  if (block == nullptr) {
    throw EnvironmentError(name_ + " memory", "cannot allocate " + std::to_string(bytes) + " bytes beside " +
                                                  std::to_string(statistics_.live_bytes) + " bytes in use" +
                                                  (describe_ ? describe_() : "") +
                                                  "; use smaller batches or more memory");
  }
  statistics_.live_bytes += size;
  statistics_.peak_bytes = std::max(statistics_.peak_bytes, statistics_.live_bytes);
  return block;
}

void CachingPool::release(void* memory, int64_t bytes) noexcept {
  const int64_t size = reuses_ ? size_class(bytes) : bytes;
  const std::lock_guard lock(mutex_);
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

/// A cached block of this class, or one up to an eighth larger would waste more than it saves: exact classes only.
void* CachingPool::take_cached(int64_t size) {
  const auto found = cache_.find(size);
  if (found == cache_.end() || found->second.empty()) return nullptr;
  void* block = found->second.back();
  found->second.pop_back();
  statistics_.cached_bytes -= size;
  return block;
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
