#include "kernels/cuda/cublaslt.h"

#include "tensor/cuda/library.h"

namespace suanli::kernels::cuda {

namespace {

std::string open(Cublaslt& functions) {
  suanli::cuda::Library library{"libcublasLt.so.13", "libcublasLt.so.12"};
  if (!library.found()) {
    return "libcublasLt.so.13 (or .12) is not found: install CUDA's libraries, or `pip install nvidia-cublas` and set "
           "LD_LIBRARY_PATH to its lib folder";
  }
#define SUANLI_FIND(name) library.find(functions.name, #name);
  SUANLI_CUBLASLT_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
  return library.missing().empty() ? "" : "libcublasLt lacks " + library.missing() + ": install a newer one";
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
