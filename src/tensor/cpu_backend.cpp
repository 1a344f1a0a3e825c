#include "tensor/cpu_backend.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "base/error.h"

namespace suanli {

namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;

/// Size classes: eight steps per power of two, so that at most an eighth of a block is unused.
int64_t size_class(int64_t bytes) {
  if (bytes <= 512) return (bytes + 63) / 64 * 64;
  const int64_t step =
      std::max<int64_t>(64, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(bytes - 1))) / 8);
  return (bytes + step - 1) / step * step;
}

class CpuBackend final : public DeviceBackend {
 public:
  void* allocate(int64_t bytes) override {
    const int64_t size = size_class(bytes);
    const std::lock_guard lock(mutex_);
    void* block = take_cached(size);
    if (block == nullptr) block = from_system(size);
    if (block == nullptr) {  // give back what is cached and try once more
      trim_locked();
      block = from_system(size);
    }
    if (block == nullptr) {
      throw EnvironmentError("cpu memory", "cannot allocate " + std::to_string(bytes) + " bytes beside " +
                                               std::to_string(statistics_.live_bytes) +
                                               " bytes in use; use smaller batches or more memory");
    }
    statistics_.live_bytes += size;
    statistics_.peak_bytes = std::max(statistics_.peak_bytes, statistics_.live_bytes);
    return block;
  }

  void release(void* memory, int64_t bytes) noexcept override {
    const int64_t size = size_class(bytes);
    const std::lock_guard lock(mutex_);
    statistics_.live_bytes -= size;
    statistics_.cached_bytes += size;
    cache_[size].push_back(memory);
  }

  void copy(void* destination, Device, const void* source, Device, int64_t bytes, Stream&) override {
    std::memcpy(destination, source, static_cast<size_t>(bytes));
  }
  void fill_zero(void* memory, int64_t bytes, Stream&) override { std::memset(memory, 0, static_cast<size_t>(bytes)); }
  void synchronize(Stream&) override {}
  Stream& default_stream() override { return stream_; }

  MemoryStatistics statistics() const override {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }
  void reset_peak() override {
    const std::lock_guard lock(mutex_);
    statistics_.peak_bytes = statistics_.live_bytes;
  }
  void trim() override {
    const std::lock_guard lock(mutex_);
    trim_locked();
  }

 private:
  /// A cached block of this class, or one up to an eighth larger would waste more than it saves: exact classes only.
  void* take_cached(int64_t size) {
    const auto found = cache_.find(size);
    if (found == cache_.end() || found->second.empty()) return nullptr;
    void* block = found->second.back();
    found->second.pop_back();
    statistics_.cached_bytes -= size;
    return block;
  }

  static void* from_system(int64_t size) {
    const int64_t alignment = size >= kHugePage ? kHugePage : 64;
    void* block = nullptr;
    if (posix_memalign(&block, static_cast<size_t>(alignment), static_cast<size_t>(size)) != 0) return nullptr;
    if (size >= kHugePage)
      madvise(block, static_cast<size_t>(size), MADV_HUGEPAGE);  // advice: a refusal changes nothing
    return block;
  }

  void trim_locked() {
    for (auto& [size, blocks] : cache_) {
      for (void* block : blocks) std::free(block);
    }
    cache_.clear();
    statistics_.cached_bytes = 0;
  }

  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> cache_;
  MemoryStatistics statistics_;
  Stream stream_;
};

}  // namespace

DeviceBackend& cpu_backend() {
  static auto* instance = new CpuBackend;  // never destroyed: tensors of static lifetime may outlive it
  return *instance;
}

}  // namespace suanli
