#include "tensor/cuda/cuda_backend.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "tensor/cuda/device_memory.h"
#include "tensor/cuda/driver.h"
#include "tensor/cuda/file_reader.h"
#include "tensor/cuda/graph.h"
#include "tensor/cuda/staging.h"

namespace suanli::cuda {

namespace {

CUdeviceptr address(const void* memory) { return reinterpret_cast<CUdeviceptr>(memory); }
CUstream queue(const Stream& stream) { return static_cast<CUstream>(stream.handle); }

constexpr int64_t kLeastRead = int64_t{64} << 10;  // bytes

thread_local int current_device = -1;

/// Three streams: kernels and all that writes to memory in use run in the order of one, copies from the host and to it
/// beside it. Events order them; the host waits for results alone.
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
    for (CUstream* stream : {&compute_, &uploads_, &downloads_}) {
      check(d.cuStreamCreate(stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    }
    stream_ = {.device = {DeviceType::cuda, index}, .handle = compute_};
    crossing_.emplace();
  }

  void make_current() {
    if (current_device == index_) return;
    check(driver().cuCtxSetCurrent(context_), "cuCtxSetCurrent");
    current_device = index_;
  }

  void* allocate(int64_t bytes) override {
    make_current();
    return memory_.allocate(bytes, capturing() ? Use::graph : Use::compute);
  }
  void release(void* memory, int64_t /*bytes*/) noexcept override {
    try {
      make_current();
    } catch (const Error&) {  // the driver has failed: memory_ keeps what it cannot order
    }
    memory_.release(memory);
  }

  void copy(void* destination, Device to, const void* source, Device from, int64_t bytes, Stream& stream) override {
    if (bytes == 0) return;
    make_current();
    if (from.type == DeviceType::cpu) {
      refuse_while_capturing("a copy from the host");
      if (read_file(destination, source, bytes)) return;
      order(compute_, uploads_);  // the destination may be in use
      send(destination, source, bytes);
    } else if (to.type == DeviceType::cpu) {
      fetch(destination, source, bytes, mark().get());
    } else {
      check(driver().cuMemcpyDtoDAsync_v2(address(destination), address(source), static_cast<size_t>(bytes),
                                          queue(stream)),
            "cuMemcpyDtoDAsync");
    }
  }

  void* upload(const void* source, int64_t bytes) override {
    make_current();
    refuse_while_capturing("a copy from the host");
    void* memory = memory_.allocate(bytes, Use::upload);
    try {
      if (!read_file(memory, source, bytes)) send(memory, source, bytes);
    } catch (...) {
      memory_.release(memory);
      throw;
    }
    return memory;
  }

  std::shared_ptr<const void> mark() override {
    make_current();
    refuse_while_capturing("a result that goes to the host");
    auto event = std::make_shared<Event>();
    event->record(compute_);
    return event;
  }

  void fetch(void* destination, const void* source, int64_t bytes, const void* mark) override {
    if (bytes == 0) return;
    make_current();
    static_cast<const Event*>(mark)->hold_back(downloads_);
    from_device_.to_host(destination, address(source), bytes);
  }

  void fill_zero(void* memory, int64_t bytes, Stream& stream) override {
    if (bytes == 0) return;
    make_current();
    check(driver().cuMemsetD8Async(address(memory), 0, static_cast<size_t>(bytes), queue(stream)), "cuMemsetD8Async");
  }

  void synchronize(Stream& stream) override {
    make_current();
    refuse_while_capturing("a wait for the device");
    check(driver().cuStreamSynchronize(queue(stream)), "cuStreamSynchronize");
  }

  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override {
    make_current();
    ++graphs_;
    try {
      return cuda::capture(compute_, work, [this] { --graphs_; });
    } catch (...) {
      --graphs_;
      throw;
    }
  }

  Stream& default_stream() override { return stream_; }
  MemoryStatistics statistics() const override { return memory_.statistics(); }
  void reset_peak() override { memory_.reset_peak(); }
  void trim() override {
    make_current();
    memory_.trim(graphs_ == 0);
  }

 private:
  /// What `behind` is given from now on waits for what `ahead` has.
  void order(CUstream ahead, CUstream behind) {
    const std::lock_guard lock(mutex_);
    crossing_->record(ahead);
    crossing_->hold_back(behind);
  }
  /// Brings what is mapped from a file straight from there; false where it is not, or that cannot be done. Small
  /// tensors are not worth a request to storage each.
  bool read_file(void* destination, const void* source, int64_t bytes) {
    if (bytes < kLeastRead) return false;
    const auto place = place_in_file(source);
    return place && files_.read(address(destination), *place, bytes);
  }
  void send(void* destination, const void* source, int64_t bytes) {
    to_device_.to_device(address(destination), source, bytes);
    order(uploads_, compute_);
  }

  int index_;
  CUcontext context_ = nullptr;
  CUstream compute_ = nullptr, uploads_ = nullptr, downloads_ = nullptr;
  Stream stream_;
  std::mutex mutex_;
  std::optional<Event> crossing_;
  Staging to_device_{uploads_}, from_device_{downloads_};
  FileReader files_{compute_};
  DeviceMemory memory_{index_, compute_};
  std::atomic<int> graphs_ = 0;
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
