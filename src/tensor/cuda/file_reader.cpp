#include "tensor/cuda/file_reader.h"

#include <algorithm>
#include <bit>

#include "base/concat.h"
#include "base/log.h"
#include "tensor/cuda/cufile.h"

namespace suanli::cuda {

namespace {
std::string text_of_failed_read(ssize_t result) {
  return result == -1 ? "the system cannot read the file" : concat("cuFile cannot read the file: error ", -result);
}
}  // namespace

bool FileReader::read(CUdeviceptr destination, const FilePlace& from, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::string problem = cufile().problem.empty() ? try_read(destination, from, bytes) : cufile().problem;
  report(problem.empty() ? "straight from storage" : concat("through pinned memory (", problem, ")"));
  return problem.empty();
}

std::string FileReader::try_read(CUdeviceptr destination, const FilePlace& from, int64_t bytes) {
  const CufileInput file(from.descriptor);
  if (!file.problem().empty()) return file.problem();
  if (std::string problem = make_chunk(); !problem.empty()) return problem;
  const auto begin = static_cast<int64_t>(from.offset), end = begin + bytes;
  for (int64_t at = begin; at < end;) {
    const int64_t page = at / kPageBytes * kPageBytes;
    const int64_t pages = (end - page + kPageBytes - 1) / kPageBytes;
    copied_->wait();
    const ssize_t got = cufile().cuFileRead(file.handle(), std::bit_cast<void*>(chunk_),
                                            static_cast<size_t>(std::min(kChunkBytes, pages * kPageBytes)), page, 0);
    if (got < 0) return text_of_failed_read(got);
    const int64_t part = std::min(end, page + got) - at;
    if (part <= 0) return concat("the file ends at byte ", page + got, ", within the tensor");
    check(
        driver().cuMemcpyDtoDAsync_v2(destination + static_cast<CUdeviceptr>(at - begin),
                                      chunk_ + static_cast<CUdeviceptr>(at - page), static_cast<size_t>(part), stream_),
        "cuMemcpyDtoDAsync");
    copied_->record(stream_);
    at += part;
  }
  return "";
}

std::string FileReader::make_chunk() {
  if (chunk_ != 0) return "";
  CUdeviceptr memory = 0;
  if (driver().cuMemAlloc_v2(&memory, kChunkBytes) != CUDA_SUCCESS) return "the device has no memory for a chunk";
  const CufileError error = cufile().cuFileBufRegister(std::bit_cast<void*>(memory), kChunkBytes, 0);
  if (error.code != 0) {
    check(driver().cuMemFree_v2(memory), "cuMemFree");
    return concat("cuFile does not take memory of the device: error ", error.code);
  }
  chunk_ = memory;
  copied_.emplace();
  return "";
}

/// Once for each run of tensors that went the same way.
void FileReader::report(const std::string& line) {
  if (!log_topic("kernels") || line == reported_) return;
  reported_ = line;
  log_info("weights: " + line);
}

}  // namespace suanli::cuda
