#include "kernels/cuda/cublaslt.h"

#include "tensor/cuda/library.h"

namespace suanli::kernels::cuda {

const Cublaslt& cublaslt() {
  static const Cublaslt instance = [] {
    Cublaslt functions;
    suanli::cuda::Library library{"libcublasLt.so.13", "libcublasLt.so.12"};
#define SUANLI_FIND(name) library.find(functions.name, #name);
    SUANLI_CUBLASLT_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
    functions.problem = library.problem(
        "libcublasLt.so.13 (or .12)",
        "install CUDA's libraries, or `pip install nvidia-cublas` and set LD_LIBRARY_PATH to its lib folder");
    return functions;
  }();
  return instance;
}

}  // namespace suanli::kernels::cuda
