/// Bytes of a file brought to a device straight from storage, where cuFile, the driver and the file system can.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/file_place.h"
#include "tensor/cuda/event.h"

namespace suanli::cuda {

/// Reads whole pages into one chunk of device memory, which cuFile knows, and copies out of it: tensors of a file begin
/// anywhere. Thread safe. The device's context must be current.
class FileReader {
 public:
  /// `stream` is known when the first file is read.
  explicit FileReader(const CUstream& stream) : stream_(stream) {}
  /// Writes what the file holds there to `destination`, in the stream's order; waits for what the stream has queued.
  /// False, and SUANLI_LOG=kernels says why, where that is not possible: `destination` then holds anything.
  bool read(CUdeviceptr destination, const FilePlace& from, int64_t bytes);

 private:
  static constexpr int64_t kPageBytes = 4096;
  static constexpr int64_t kChunkBytes = int64_t{16} << 20;  // the largest direct read of cuFile, as it is configured

  /// Why there is no chunk; empty where there is one.
  std::string make_chunk();
  /// Why the bytes were not read; empty where they were.
  std::string try_read(CUdeviceptr destination, const FilePlace& from, int64_t bytes);
  void report(const std::string& line);

  const CUstream& stream_;
  std::mutex mutex_;
  CUdeviceptr chunk_ = 0;
  std::optional<Event> copied_;  ///< the last copy out of the chunk
  std::string reported_;
};

}  // namespace suanli::cuda
