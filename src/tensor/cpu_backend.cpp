#include "tensor/cpu_backend.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "tensor/caching_pool.h"

namespace suanli {

namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;

void* from_system(int64_t size) {
  const int64_t alignment = size >= kHugePage ? kHugePage : 64;
  void* block = nullptr;
  if (posix_memalign(&block, static_cast<size_t>(alignment), static_cast<size_t>(size)) != 0) return nullptr;
  if (size >= kHugePage) madvise(block, static_cast<size_t>(size), MADV_HUGEPAGE);  // advice: a refusal changes nothing
  return block;
}

class CpuBackend final : public DeviceBackend {
 public:
  void* allocate(int64_t bytes) override { return pool_.allocate(bytes); }
  void release(void* memory, int64_t bytes) noexcept override { pool_.release(memory, bytes); }
  void copy(void* destination, Device, const void* source, Device, int64_t bytes, Stream&) override {
    std::memcpy(destination, source, static_cast<size_t>(bytes));
  }
  void fill_zero(void* memory, int64_t bytes, Stream&) override { std::memset(memory, 0, static_cast<size_t>(bytes)); }
  void synchronize(Stream&) override {}
  Stream& default_stream() override { return stream_; }
  MemoryStatistics statistics() const override { return pool_.statistics(); }
  void reset_peak() override { pool_.reset_peak(); }
  void trim() override { pool_.trim(); }

 private:
  CachingPool pool_{"cpu", from_system, std::free};
  Stream stream_;
};

}  // namespace

DeviceBackend& cpu_backend() {
  static auto* instance = new CpuBackend;  // never destroyed: tensors of static lifetime may outlive it
  return *instance;
}

}  // namespace suanli
