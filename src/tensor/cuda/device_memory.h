/// The memory of one GPU: three pools, so that a block is given out again only where nothing queued still uses it, and
/// who holds what.
#pragma once

#include <cuda.h>

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/profile.h"
#include "tensor/caching_pool.h"
#include "tensor/cuda/event.h"

namespace suanli::cuda {

/// Who uses a block, and therefore when it is free after its release:
///   compute   all on the compute stream: at once, because whoever is given it next queues behind.
///   upload    written on the stream of uploads, read on the compute stream: when the compute stream has come to the
///             place where it was released.
///   graph     within captured work: at once, but for captured work alone, whose addresses are fixed.
enum class Use { compute, upload, graph };

/// Thread safe. The device's context must be current.
class DeviceMemory {
 public:
  /// Of device `index`, whose work runs on the stream `compute`, which is known at the first request.
  /// SUANLI_CUDA_MEMORY chooses between memory of the device and unified memory (managed.h).
  DeviceMemory(int index, const CUstream& compute);

  /// `bytes` > 0. Throws EnvironmentError when the device has no such block: it names the op that asked, the request
  /// and the largest holders.
  void* allocate(int64_t bytes, Use use);
  void release(void* memory) noexcept;
  /// Gives blocks in no use back to the device, those of graphs where `graphs` says so.
  void trim(bool graphs);

  MemoryStatistics statistics() const;
  void reset_peak();

 private:
  struct Block {
    int64_t bytes;
    Use use;
    Activity holder;
  };
  struct Returning {
    void* memory;
    int64_t bytes;
    Event released;
  };

  void* take(int64_t bytes) const;
  static void give_back(void* memory);
  CachingPool& pool(Use use) { return pools_[static_cast<size_t>(use)]; }
  void return_upload(void* memory, int64_t bytes);
  /// Puts uploads that nothing reads any more back into their pool; `wait`: all that were released.
  void reclaim(bool wait);
  /// What is free and the largest holders, in words.
  std::string describe() const;

  std::string name_;
  int index_;
  const CUstream& compute_;
  bool managed_;
  mutable std::mutex mutex_;
  CachingPool pools_[3];
  std::unordered_map<void*, Block> live_;
  std::deque<Returning> returning_;  ///< in the order of the compute stream
  std::vector<Event> spare_;
  std::vector<std::pair<void*, int64_t>> held_;  ///< uploads released while a graph is captured
  MemoryStatistics statistics_;
};

}  // namespace suanli::cuda
