/// A device and all that a new one must offer: memory, streams and copies. Kernels are registered apart, per op.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace suanli {

enum class DeviceType : uint8_t { cpu, cuda };

/// One device of a machine.
struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
  /// "cpu" or "cuda:0".
  std::string text() const;
};

/// "cpu", "cuda" (the first one), "cuda:1", or "auto": the first CUDA device where there is one that can be used, else
/// the CPU. Throws UserError for another text and for a device that is not there, saying why.
Device device_named(const std::string& text);

/// An order of execution on a device. On the CPU work is done when the call returns; a device with a queue keeps its
/// handle here.
struct Stream {
  Device device;
  void* handle = nullptr;
};

/// What an allocator has given out and what it holds.
struct MemoryStatistics {
  int64_t live_bytes = 0;    ///< in tensors now
  int64_t peak_bytes = 0;    ///< the largest live_bytes since the last reset
  int64_t cached_bytes = 0;  ///< held for reuse, in no tensor
};

/// Queued work of a device, recorded once to be queued again as one piece.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  /// Queues the recorded work: the same kernels on the same addresses.
  virtual void replay() = 0;
};

/// The narrow interface of a device. Implementations are thread safe.
class DeviceBackend {
 public:
  virtual ~DeviceBackend() = default;
  /// `bytes` > 0, aligned to 64 bytes, content unspecified. Throws EnvironmentError when memory is exhausted, naming
  /// the request and what is held.
  virtual void* allocate(int64_t bytes) = 0;
  virtual void release(void* memory, int64_t bytes) noexcept = 0;
  /// Copies between this device and itself or the host (`from`, `to`: each this device or the CPU), in stream order.
  /// When the call returns the host's memory may be used again: what goes to the host is there, what comes from it has
  /// been read.
  virtual void copy(void* destination, Device to, const void* source, Device from, int64_t bytes, Stream& stream) = 0;
  virtual void fill_zero(void* memory, int64_t bytes, Stream& stream) = 0;
  /// Returns when all work of the stream is done.
  virtual void synchronize(Stream& stream) = 0;
  virtual Stream& default_stream() = 0;
  virtual MemoryStatistics statistics() const = 0;
  virtual void reset_peak() = 0;
  /// Gives memory held for reuse back to the system.
  virtual void trim() = 0;

  /// allocate() and copy() from the host in one: the copy does not wait for what the stream has queued, and what is
  /// queued from now on finds the bytes there.
  virtual void* upload(const void* source, int64_t bytes) {
    void* memory = allocate(bytes);
    copy(memory, default_stream().device, source, {}, bytes, default_stream());
    return memory;
  }
  /// The place that the default stream's queue has come to; null where work is done when the call returns.
  virtual std::shared_ptr<const void> mark() { return nullptr; }
  /// Copies to the host what `source` holds at `mark`, without waiting for what was queued after it. Nothing may write
  /// there meanwhile.
  virtual void fetch(void* destination, const void* source, int64_t bytes, const void* /*mark*/) {
    copy(destination, {}, source, default_stream().device, bytes, default_stream());
  }
  /// Records what `work` queues on the default stream instead of running it; null where the device has no graphs. The
  /// memory that `work` asks for is never given to other work as long as a graph of the device lives; replays run one
  /// after another and share it, except what a tensor still holds. Throws what `work` throws, and EnvironmentError
  /// where it waits for the device or copies from the host: then nothing was recorded.
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& /*work*/) { return nullptr; }
};

/// The backend of a device; the CPU's is always there, others open at their first use. Throws UserError when the device
/// is absent.
DeviceBackend& backend(Device device);

/// The devices of one type beside the CPU. Nothing is opened before one of the functions is called.
struct DeviceFamily {
  int (*count)() = nullptr;               ///< how many can be used; 0 where the driver is missing
  std::string (*problem)() = nullptr;     ///< why there are none, and the way out; empty where there are some
  DeviceBackend& (*open)(int) = nullptr;  ///< device `index` < count()
};

/// Makes a type of device known; called once at start-up by its register function.
void register_devices(DeviceType type, DeviceFamily family);
/// How many devices of a type can be used.
int device_count(DeviceType type);
/// Why there is no device of a type; empty where there is one.
std::string device_problem(DeviceType type);

}  // namespace suanli
