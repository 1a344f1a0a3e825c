/// Copies between a device and ordinary host memory through pinned buffers, so that the host does not wait for the
/// device's queue where it only hands something over.
#pragma once

#include <cuda.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace suanli::cuda {

/// A ring of pinned chunks. Small copies share a chunk; a chunk is written again when all copies out of it are done.
/// Thread safe. The device's context must be current.
class Staging {
 public:
  /// Reads `source` before it returns; the device has the bytes in stream order.
  void to_device(CUdeviceptr destination, const void* source, int64_t bytes, CUstream stream);
  /// Returns when the bytes are in `destination`.
  void to_host(void* destination, CUdeviceptr source, int64_t bytes, CUstream stream);

 private:
  static constexpr int64_t kChunkBytes = int64_t{2} << 20;
  static constexpr size_t kChunks = 16;

  /// Pinned memory for `bytes` <= kChunkBytes.
  std::byte* reserve(int64_t bytes, CUstream stream);

  struct Chunk {
    std::byte* memory = nullptr;
    CUevent done = nullptr;  ///< after the last copy out of it
  };
  std::mutex mutex_;
  std::array<Chunk, kChunks> chunks_;
  size_t current_ = 0;
  int64_t used_ = 0;  ///< bytes of the current chunk
};

}  // namespace suanli::cuda
