/// The host half of a .cu file: its embedded device code and the launch of its kernels through the driver.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <tuple>

#include "tensor/device.h"
#include "tensor/dtype.h"

namespace suanli::kernels::cuda {

/// Where a kernel runs: blocks in up to three dimensions, threads of a block in one.
struct Grid {
  int64_t x = 1, y = 1, z = 1;
  int threads = 256;
  int64_t shared_bytes = 0;  ///< beyond what the kernel declares; at most 48 KiB
};

/// How many blocks of `each` items cover `count`.
inline int64_t blocks_for(int64_t count, int64_t each) { return (count + each - 1) / each; }

/// A block for each row: whole warps, about eight columns a thread.
inline Grid block_for_each_row(int64_t rows, int64_t width) {
  return {.x = rows, .threads = static_cast<int>(std::clamp<int64_t>((width / 8 + 31) / 32 * 32, 32, 256))};
}

/// The kernels of one .cu file, loaded on each device at the first launch there. Thread safe.
class DeviceCode {
 public:
  explicit DeviceCode(const void* image) : image_(image) {}

  /// Launches the kernel `name`, or `name`_`dtype`, in the order of the stream; nothing where the grid has no blocks.
  /// `args` are the kernel's parameters, of exactly its types; `name` is a literal. Throws EnvironmentError when the
  /// driver refuses.
  template <class... Args>
  void launch(const char* name, const Grid& grid, Stream& stream, const Args&... args) {
    const void* parameters[] = {&args...};
    launch_kernel(name, "", grid, stream, parameters);
  }
  template <class... Args>
  void launch(const char* name, DType dtype, const Grid& grid, Stream& stream, const Args&... args) {
    const void* parameters[] = {&args...};
    launch_kernel(name, name_of(dtype), grid, stream, parameters);
  }

 private:
  void launch_kernel(const char* name, const char* suffix, const Grid& grid, Stream& stream, const void** parameters);
  void* function(int device, const char* name, const char* suffix);

  const void* image_;
  std::mutex mutex_;
  std::map<int, void*> modules_;                                          ///< CUmodule by device
  std::map<std::tuple<int, const char*, const char*>, void*> functions_;  ///< CUfunction by device and literals
};

/// Device memory for the length of one call, from the stream's allocator: it may be given out again as soon as the call
/// has queued its last kernel, because all work runs in the order of the stream.
class Scratch {
 public:
  Scratch(Stream& stream, int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* memory() const { return memory_; }

 private:
  Device device_;
  int64_t bytes_;
  void* memory_;
};

}  // namespace suanli::kernels::cuda

/// Embeds the device code that was made of this file and names it `code`.
#define SUANLI_DEVICE_CODE(symbol)                                                             \
  __asm__(".section .rodata\n.balign 16\nsuanli_fatbin_" #symbol ":\n.incbin \"" SUANLI_FATBIN \
          "\"\n.balign 16\n.text\n");                                                          \
  extern "C" const unsigned char suanli_fatbin_##symbol[];                                     \
  static ::suanli::kernels::cuda::DeviceCode code(suanli_fatbin_##symbol)
