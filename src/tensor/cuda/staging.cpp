#include "tensor/cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "tensor/cuda/driver.h"

namespace suanli::cuda {

std::byte* Staging::reserve(int64_t bytes, CUstream stream) {
  const Driver& d = driver();
  if (used_ + bytes > kChunkBytes) {
    check(d.cuEventRecord(chunks_[current_].done, stream), "cuEventRecord");
    current_ = (current_ + 1) % kChunks;
    used_ = 0;
  }
  Chunk& chunk = chunks_[current_];
  if (chunk.memory == nullptr) {
    void* memory = nullptr;
    check(d.cuMemAllocHost_v2(&memory, kChunkBytes), "cuMemAllocHost");
    chunk.memory = static_cast<std::byte*>(memory);
    check(d.cuEventCreate(&chunk.done, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
  }
  if (used_ == 0) check(d.cuEventSynchronize(chunk.done), "cuEventSynchronize");  // at once where it was never recorded
  std::byte* place = chunk.memory + used_;
  used_ = std::min(kChunkBytes, used_ + (bytes + 63) / 64 * 64);
  return place;
}

void Staging::to_device(CUdeviceptr destination, const void* source, int64_t bytes, CUstream stream) {
  const std::lock_guard lock(mutex_);
  for (int64_t done = 0; done < bytes; done += kChunkBytes) {
    const int64_t part = std::min(kChunkBytes, bytes - done);
    std::byte* pinned = reserve(part, stream);
    std::memcpy(pinned, static_cast<const std::byte*>(source) + done, static_cast<size_t>(part));
    check(driver().cuMemcpyHtoDAsync_v2(destination + static_cast<CUdeviceptr>(done), pinned, static_cast<size_t>(part),
                                        stream),
          "cuMemcpyHtoDAsync");
  }
}

void Staging::to_host(void* destination, CUdeviceptr source, int64_t bytes, CUstream stream) {
  const std::lock_guard lock(mutex_);
  for (int64_t done = 0; done < bytes; done += kChunkBytes) {
    const int64_t part = std::min(kChunkBytes, bytes - done);
    std::byte* pinned = reserve(part, stream);
    check(driver().cuMemcpyDtoHAsync_v2(pinned, source + static_cast<CUdeviceptr>(done), static_cast<size_t>(part),
                                        stream),
          "cuMemcpyDtoHAsync");
    check(driver().cuStreamSynchronize(stream), "cuStreamSynchronize");
    std::memcpy(static_cast<std::byte*>(destination) + done, pinned, static_cast<size_t>(part));
  }
}

}  // namespace suanli::cuda
