/// NVIDIA's cuFile (GPUDirect Storage), found at run time: storage read into memory of a device, past the host's.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace suanli::cuda {

// As NVIDIA's cuFile API reference declares them; cufile.h is not part of every toolkit.
struct CufileError {
  int code;  ///< 0: none
  int of_driver;
};
struct CufileDescription {
  int type;
  union {
    int descriptor;
    void* unused;
  };
  const void* operations;
};
using CufileHandle = void*;

/// The library where its driver is open. It is asked for direct reads alone: what it would read through the host, our
/// pinned memory brings as well.
struct Cufile {
  CufileError (*cuFileGetVersion)(int*) = nullptr;
  CufileError (*cuFileSetParameterBool)(int, bool) = nullptr;
  CufileError (*cuFileDriverOpen)() = nullptr;
  CufileError (*cuFileHandleRegister)(CufileHandle*, CufileDescription*) = nullptr;
  void (*cuFileHandleDeregister)(CufileHandle) = nullptr;
  CufileError (*cuFileBufRegister)(const void*, size_t, int) = nullptr;
  ssize_t (*cuFileRead)(CufileHandle, void*, size_t, off_t, off_t) = nullptr;
  std::string version;  ///< "1.15.1"
  std::string problem;  ///< why nothing can be read so, and the way out; empty where it can
};

/// Opened at the first call, where the kernel has the module nvidia_fs.
const Cufile& cufile();

/// Whether the kernel has loaded a module. SUANLI_SYSFS names where sysfs is mounted, /sys where it is unset.
bool kernel_module_loaded(const char* module);

/// A file's handle for direct reads of the file behind a descriptor.
class CufileInput {
 public:
  explicit CufileInput(int descriptor);
  ~CufileInput();
  CufileInput(const CufileInput&) = delete;
  CufileInput& operator=(const CufileInput&) = delete;
  CufileHandle handle() const { return handle_; }
  /// Why the file cannot be read so; empty where it can.
  const std::string& problem() const { return problem_; }

 private:
  int descriptor_ = -1;
  CufileHandle handle_ = nullptr;
  std::string problem_;
};

}  // namespace suanli::cuda
