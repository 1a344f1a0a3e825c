#include "tensor/cuda/device_memory.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string_view>

#include "base/error.h"
#include "tensor/cuda/graph.h"
#include "tensor/cuda/managed.h"

namespace suanli::cuda {

namespace {

constexpr size_t kNamedHolders = 6;

std::string text_of(const Activity& holder) {
  const std::string phase = holder.phase, op = holder.op;
  return op.empty() ? phase : op + " (" + phase + ")";
}

}  // namespace

DeviceMemory::DeviceMemory(int index, const CUstream& compute)
    : name_(Device{DeviceType::cuda, index}.text()),
      index_(index),
      compute_(compute),
      managed_(wants_managed_memory()),
      pools_{{name_, [this](int64_t bytes) { return take(bytes); }, give_back},
             {name_, [this](int64_t bytes) { return take(bytes); }, give_back},
             {name_, [this](int64_t bytes) { return take(bytes); }, give_back, true}} {}

void DeviceMemory::give_back(void* memory) {
  check(driver().cuMemFree_v2(reinterpret_cast<CUdeviceptr>(memory)), "cuMemFree");
}

void* DeviceMemory::take(int64_t bytes) const {
  if (managed_) return allocate_managed(bytes, index_, compute_);
  CUdeviceptr memory = 0;
  const CUresult result = driver().cuMemAlloc_v2(&memory, static_cast<size_t>(bytes));
  if (result == CUDA_ERROR_OUT_OF_MEMORY) return nullptr;
  check(result, "cuMemAlloc");
  return std::bit_cast<void*>(memory);
}

void* DeviceMemory::allocate(int64_t bytes, Use use) {
  const std::lock_guard lock(mutex_);
  if (use == Use::upload) reclaim(false);
  void* memory = pool(use).try_allocate(bytes);
  if (memory == nullptr && !capturing()) {
    reclaim(true);
    pool(Use::compute).trim();
    pool(Use::upload).trim();
    memory = pool(use).try_allocate(bytes);
  }
  if (memory == nullptr) {
    throw EnvironmentError(name_ + " memory", "cannot allocate " + std::to_string(bytes) + " bytes for " +
                                                  text_of(activity) + describe() +
                                                  "; use smaller batches or gradient checkpointing, or let memory of "
                                                  "the host help out with SUANLI_CUDA_MEMORY=managed");
  }
  live_[memory] = {bytes, use, activity};
  statistics_.live_bytes += bytes;
  statistics_.peak_bytes = std::max(statistics_.peak_bytes, statistics_.live_bytes);
  return memory;
}

void DeviceMemory::release(void* memory) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(memory);
  const Block block = found->second;
  live_.erase(found);
  statistics_.live_bytes -= block.bytes;
  if (block.use != Use::upload) {
    pool(block.use).release(memory, block.bytes);
  } else if (capturing()) {
    held_.emplace_back(memory, block.bytes);
  } else {
    for (const auto& [held, bytes] : std::exchange(held_, {})) return_upload(held, bytes);
    return_upload(memory, block.bytes);
  }
}

/// Where the driver fails, nothing of the device can be used any more: the block stays lost.
void DeviceMemory::return_upload(void* memory, int64_t bytes) try {
  if (spare_.empty()) spare_.emplace_back();
  spare_.back().record(compute_);
  returning_.push_back({memory, bytes, std::move(spare_.back())});
  spare_.pop_back();
} catch (const Error&) {
}

void DeviceMemory::reclaim(bool wait) {
  while (!returning_.empty()) {
    Returning& first = returning_.front();
    if (wait) first.released.wait();
    if (!wait && !first.released.passed()) return;
    pool(Use::upload).release(first.memory, first.bytes);
    spare_.push_back(std::move(first.released));
    returning_.pop_front();
  }
}

void DeviceMemory::trim(bool graphs) {
  const std::lock_guard lock(mutex_);
  reclaim(true);
  pool(Use::compute).trim();
  pool(Use::upload).trim();
  if (graphs) pool(Use::graph).trim();
}

std::string DeviceMemory::describe() const {
  size_t free = 0, total = 0;
  check(driver().cuMemGetInfo_v2(&free, &total), "cuMemGetInfo");
  struct Held {
    std::string holder;
    int64_t bytes = 0, blocks = 0;
  };
  std::map<std::pair<std::string_view, std::string_view>, Held> by_holder;
  for (const auto& [memory, block] : live_) {
    Held& held = by_holder[{block.holder.phase, block.holder.op}];
    held.holder = text_of(block.holder);
    held.bytes += block.bytes;
    ++held.blocks;
  }
  std::vector<Held> largest;
  for (const auto& [key, held] : by_holder) largest.push_back(held);
  std::ranges::sort(largest, std::greater{}, &Held::bytes);
  if (largest.size() > kNamedHolders) largest.resize(kNamedHolders);
  std::string text = " beside " + std::to_string(statistics_.live_bytes) + " bytes in use, " + std::to_string(free) +
                     " of " + std::to_string(total) + " bytes of the device are free; the largest holders:";
  for (const Held& held : largest) {
    text += (&held == largest.data() ? " " : ", ") + held.holder + " " + std::to_string(held.bytes) + " bytes in " +
            std::to_string(held.blocks) + (held.blocks == 1 ? " block" : " blocks");
  }
  return text;
}

MemoryStatistics DeviceMemory::statistics() const {
  const std::lock_guard lock(mutex_);
  MemoryStatistics out = statistics_;
  for (const CachingPool& each : pools_) {
    const MemoryStatistics taken = each.statistics();
    out.cached_bytes += taken.live_bytes + taken.cached_bytes;
  }
  out.cached_bytes -= out.live_bytes;
  return out;
}

void DeviceMemory::reset_peak() {
  const std::lock_guard lock(mutex_);
  statistics_.peak_bytes = statistics_.live_bytes;
}

}  // namespace suanli::cuda
