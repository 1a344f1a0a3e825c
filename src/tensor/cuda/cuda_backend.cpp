#include "tensor/cuda/cuda_backend.h"

#include <bit>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "tensor/caching_pool.h"
#include "tensor/cuda/driver.h"
#include "tensor/cuda/staging.h"

namespace suanli::cuda {

namespace {

CUdeviceptr address(const void* memory) { return reinterpret_cast<CUdeviceptr>(memory); }
CUstream queue(const Stream& stream) { return static_cast<CUstream>(stream.handle); }

thread_local int current_device = -1;

/// All work of a device runs in the order of one stream: a block that is released may be given out again at once.
class CudaBackend final : public DeviceBackend {
 public:
  explicit CudaBackend(int index) : index_(index) {
    const Driver& d = driver();
    const DeviceProperties p = properties(index);
    if (p.major < kLeastMajor) {
      throw UserError("device", "expected compute capability 8.0 or newer, got " + std::to_string(p.major) + "." +
                                    std::to_string(p.minor) + " of the " + p.name + "; compute on the CPU");
    }
    CUdevice device = 0;
    check(d.cuDeviceGet(&device, index), "cuDeviceGet");
    check(d.cuDevicePrimaryCtxRetain(&context_, device), "cuDevicePrimaryCtxRetain");
    make_current();
    CUstream stream = nullptr;
    check(d.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    stream_ = {.device = {DeviceType::cuda, index}, .handle = stream};
  }

  void make_current() {
    if (current_device == index_) return;
    check(driver().cuCtxSetCurrent(context_), "cuCtxSetCurrent");
    current_device = index_;
  }

  void* allocate(int64_t bytes) override {
    make_current();
    return pool_.allocate(bytes);
  }
  void release(void* memory, int64_t bytes) noexcept override { pool_.release(memory, bytes); }

  void copy(void* destination, Device to, const void* source, Device from, int64_t bytes, Stream& stream) override {
    if (bytes == 0) return;
    make_current();
    if (from.type == DeviceType::cpu) {
      staging_.to_device(address(destination), source, bytes, queue(stream));
    } else if (to.type == DeviceType::cpu) {
      staging_.to_host(destination, address(source), bytes, queue(stream));
    } else {
      check(driver().cuMemcpyDtoDAsync_v2(address(destination), address(source), static_cast<size_t>(bytes),
                                          queue(stream)),
            "cuMemcpyDtoDAsync");
    }
  }

  void fill_zero(void* memory, int64_t bytes, Stream& stream) override {
    if (bytes == 0) return;
    make_current();
    check(driver().cuMemsetD8Async(address(memory), 0, static_cast<size_t>(bytes), queue(stream)), "cuMemsetD8Async");
  }

  void synchronize(Stream& stream) override {
    make_current();
    check(driver().cuStreamSynchronize(queue(stream)), "cuStreamSynchronize");
  }

  Stream& default_stream() override { return stream_; }
  MemoryStatistics statistics() const override { return pool_.statistics(); }
  void reset_peak() override { pool_.reset_peak(); }
  void trim() override {
    make_current();
    pool_.trim();
  }

 private:
  static void* take(int64_t bytes) {
    CUdeviceptr memory = 0;
    const CUresult result = driver().cuMemAlloc_v2(&memory, static_cast<size_t>(bytes));
    if (result == CUDA_ERROR_OUT_OF_MEMORY) return nullptr;
    check(result, "cuMemAlloc");
    return std::bit_cast<void*>(memory);
  }

  static std::string describe_memory() {
    size_t free = 0, total = 0;
    check(driver().cuMemGetInfo_v2(&free, &total), "cuMemGetInfo");
    return ", " + std::to_string(free) + " of " + std::to_string(total) + " bytes of the device are free";
  }

  int index_;
  CUcontext context_ = nullptr;
  Stream stream_;
  Staging staging_;
  CachingPool pool_{"cuda:" + std::to_string(index_), take,
                    [](void* memory) { check(driver().cuMemFree_v2(address(memory)), "cuMemFree"); }, describe_memory};
};

/// Never destroyed: tensors of static lifetime may outlive them.
CudaBackend& open(int index) {
  static std::mutex mutex;
  static auto* backends = new std::map<int, std::unique_ptr<CudaBackend>>;
  const std::lock_guard lock(mutex);
  auto& backend = (*backends)[index];
  if (!backend) backend = std::make_unique<CudaBackend>(index);
  return *backend;
}

}  // namespace

void register_cuda_devices() {
  register_devices(DeviceType::cuda, {.count = driver_devices,
                                      .problem = driver_problem,
                                      .open = [](int index) -> DeviceBackend& { return open(index); }});
}

void make_current(int index) {
  if (current_device != index) open(index).make_current();
}

}  // namespace suanli::cuda
