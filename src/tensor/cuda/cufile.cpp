#include "tensor/cuda/cufile.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/concat.h"
#include "base/env.h"
#include "tensor/cuda/library.h"

namespace suanli::cuda {

namespace {

constexpr int kAllowCompatMode = 1;       // CUFILE_PARAM_PROPERTIES_ALLOW_COMPAT_MODE
constexpr int kOpaqueFileDescriptor = 1;  // CU_FILE_HANDLE_TYPE_OPAQUE_FD

/// Fills `api`; why it cannot be used, or nothing.
std::string open_cufile(Cufile* api) {
  // Asked first: without the module the library takes its time, and leaves a log in the working folder, to say so.
  if (!kernel_module_loaded("nvidia_fs")) {
    return "the kernel has not loaded nvidia_fs: `modprobe nvidia_fs` (of the package nvidia-fs)";
  }
  Library library{"libcufile.so.0"};
  if (!library.found()) {
    return "libcufile.so.0 is not found: install the package libcufile of CUDA, or `pip install nvidia-cufile` and set "
           "LD_LIBRARY_PATH to its lib folder";
  }
  library.find(api->cuFileGetVersion, "cuFileGetVersion");
  library.find(api->cuFileSetParameterBool, "cuFileSetParameterBool");
  library.find(api->cuFileDriverOpen, "cuFileDriverOpen");
  library.find(api->cuFileHandleRegister, "cuFileHandleRegister");
  library.find(api->cuFileHandleDeregister, "cuFileHandleDeregister");
  library.find(api->cuFileBufRegister, "cuFileBufRegister");
  library.find(api->cuFileRead, "cuFileRead");
  if (!library.missing().empty()) return concat("libcufile lacks ", library.missing(), ": install a newer one");
  int version = 0;  // 1000 major + 10 minor + patch
  api->cuFileGetVersion(&version);
  api->version = concat(version / 1000, ".", version % 1000 / 10, ".", version % 10);
  CufileError error = api->cuFileSetParameterBool(kAllowCompatMode, false);
  if (error.code == 0) error = api->cuFileDriverOpen();
  if (error.code == 0) return "";
  return concat("cuFile does not open its driver: error ", error.code, "; `gdscheck -p` of CUDA says more");
}

}  // namespace

const Cufile& cufile() {
  static const Cufile instance = [] {
    Cufile api;
    api.problem = open_cufile(&api);
    return api;
  }();
  return instance;
}

bool kernel_module_loaded(const char* module) {
  std::error_code none;
  return std::filesystem::exists(
      std::filesystem::path(environment("SUANLI_SYSFS").value_or("/sys")) / "module" / module, none);
}

/// The same file under a descriptor of its own: the map's may be shared, and O_DIRECT holds for all who share it.
CufileInput::CufileInput(int descriptor)
    : descriptor_(::open(concat("/proc/self/fd/", descriptor).c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT)) {
  if (descriptor_ < 0) {
    problem_ = concat("its file system has no direct reads (", std::strerror(errno), ")");
    return;
  }
  CufileDescription description = {.type = kOpaqueFileDescriptor, .descriptor = descriptor_, .operations = nullptr};
  const CufileError error = cufile().cuFileHandleRegister(&handle_, &description);
  if (error.code != 0) {
    problem_ = concat("cuFile does not take the file: error ", error.code);
    handle_ = nullptr;
  }
}

CufileInput::~CufileInput() {
  if (handle_ != nullptr) cufile().cuFileHandleDeregister(handle_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace suanli::cuda
