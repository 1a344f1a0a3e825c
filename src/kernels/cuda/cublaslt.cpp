#include "kernels/cuda/cublaslt.h"

#include <dlfcn.h>

#include <type_traits>

namespace suanli::kernels::cuda {

namespace {

std::string open(Cublaslt& functions) {
  void* library = nullptr;
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    return "libcublasLt.so.13 (or .12) is not found: install CUDA's libraries, or `pip install nvidia-cublas` and set "
           "LD_LIBRARY_PATH to its lib folder";
  }
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (function == nullptr) missing += std::string(missing.empty() ? "" : ", ") + name;
  };
#define SUANLI_FIND(name) find(functions.name, #name);
  SUANLI_CUBLASLT_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
  return missing.empty() ? "" : "libcublasLt lacks " + missing + ": install a newer one";
}

}  // namespace

const Cublaslt& cublaslt() {
  static const Cublaslt instance = [] {
    Cublaslt functions;
    functions.problem = open(functions);
    return functions;
  }();
  return instance;
}

}  // namespace suanli::kernels::cuda
