/// Copies between a device and ordinary host memory through pinned buffers, so that the host does not wait for the
/// device's queue where it only hands something over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "tensor/cuda/event.h"

namespace suanli::cuda {

/// A ring of pinned chunks for copies on one stream. Thread safe. The device's context must be current.
class Staging {
 public:
  /// `stream` is known when the first copy is made.
  explicit Staging(const CUstream& stream) : stream_(stream) {}
  /// Reads `source` before it returns; the device has the bytes in the stream's order.
  void to_device(CUdeviceptr destination, const void* source, int64_t bytes);
  /// Returns when the bytes are in `destination`: while one part is read out of its chunk, the next is on its way.
  void to_host(void* destination, CUdeviceptr source, int64_t bytes);

 private:
  static constexpr int64_t kChunkBytes = int64_t{2} << 20;
  static constexpr size_t kChunks = 16;

  /// A chunk is written again when all copies out of it are done; small copies share one.
  struct Chunk {
    std::byte* memory = nullptr;
    std::optional<Event> done;  ///< after the last copy
  };
  Chunk& chunk(size_t index);
  /// Pinned memory for `bytes` <= kChunkBytes, of the current chunk.
  std::byte* reserve(int64_t bytes);

  const CUstream& stream_;
  std::mutex mutex_;
  std::array<Chunk, kChunks> chunks_;
  size_t current_ = 0;
  int64_t used_ = 0;  ///< bytes of the current chunk
};

}  // namespace suanli::cuda
