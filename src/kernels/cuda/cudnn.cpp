#include "kernels/cuda/cudnn.h"

#include "tensor/cuda/library.h"

namespace suanli::kernels::cuda {

#if SUANLI_HAS_CUDNN_H

const Cudnn& cudnn() {
  static const Cudnn instance = [] {
    Cudnn functions;
    suanli::cuda::Library library{"libcudnn.so.9"};
#define SUANLI_FIND(name) library.find(functions.name, #name);
    SUANLI_CUDNN_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
    functions.problem =
        library.problem("libcudnn.so.9",
                        "install cuDNN 9, or `pip install nvidia-cudnn-cu13` (-cu12 beside CUDA 12) and set "
                        "LD_LIBRARY_PATH to its lib folder");
    if (functions.problem.empty()) {
      const size_t version = functions.cudnnGetVersion();
      functions.version = std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
                          std::to_string(version % 100);
    }
    return functions;
  }();
  return instance;
}

#else

const Cudnn& cudnn() {
  static const Cudnn instance = {
      .problem =
          "this program was built without cudnn.h: install cuDNN 9 with its header beside CUDA's and build again",
      .version = ""};
  return instance;
}

#endif

}  // namespace suanli::kernels::cuda
