#include "tensor/cuda/staging.h"

#include <algorithm>
#include <cstring>

namespace suanli::cuda {

Staging::Chunk& Staging::chunk(size_t index) {
  Chunk& chunk = chunks_[index];
  if (chunk.memory == nullptr) {
    void* memory = nullptr;
    check(driver().cuMemAllocHost_v2(&memory, kChunkBytes), "cuMemAllocHost");
    chunk.memory = static_cast<std::byte*>(memory);
    chunk.done.emplace();
  }
  return chunk;
}

std::byte* Staging::reserve(int64_t bytes) {
  if (used_ + bytes > kChunkBytes) {
    chunk(current_).done->record(stream_);
    current_ = (current_ + 1) % kChunks;
    used_ = 0;
  }
  const Chunk& open = chunk(current_);
  if (used_ == 0) open.done->wait();
  std::byte* place = open.memory + used_;
  used_ = std::min(kChunkBytes, used_ + (bytes + 63) / 64 * 64);
  return place;
}

void Staging::to_device(CUdeviceptr destination, const void* source, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  for (int64_t done = 0; done < bytes; done += kChunkBytes) {
    const int64_t part = std::min(kChunkBytes, bytes - done);
    std::byte* pinned = reserve(part);
    std::memcpy(pinned, static_cast<const std::byte*>(source) + done, static_cast<size_t>(part));
    check(driver().cuMemcpyHtoDAsync_v2(destination + static_cast<CUdeviceptr>(done), pinned, static_cast<size_t>(part),
                                        stream_),
          "cuMemcpyHtoDAsync");
  }
}

void Staging::to_host(void* destination, CUdeviceptr source, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const int64_t parts = (bytes + kChunkBytes - 1) / kChunkBytes;
  for (int64_t k = 0; k <= parts; ++k) {
    if (k < parts) {
      const Chunk& next = chunk(static_cast<size_t>(k % 2));
      const int64_t begin = k * kChunkBytes, size = std::min(kChunkBytes, bytes - begin);
      check(driver().cuMemcpyDtoHAsync_v2(next.memory, source + static_cast<CUdeviceptr>(begin),
                                          static_cast<size_t>(size), stream_),
            "cuMemcpyDtoHAsync");
      next.done->record(stream_);
    }
    if (k > 0) {
      const Chunk& ready = chunk(static_cast<size_t>((k - 1) % 2));
      const int64_t begin = (k - 1) * kChunkBytes, size = std::min(kChunkBytes, bytes - begin);
      ready.done->wait();
      std::memcpy(static_cast<std::byte*>(destination) + begin, ready.memory, static_cast<size_t>(size));
    }
  }
}

}  // namespace suanli::cuda
