#include "dist/cuda/nccl.h"

#include "tensor/cuda/library.h"

namespace suanli::dist {

namespace {

std::string open(Nccl& functions) {
  suanli::cuda::Library library{"libnccl.so.2"};
  if (!library.found()) {
    return "libnccl.so.2 is not found: install NCCL, or `pip install nvidia-nccl-cu13` and set LD_LIBRARY_PATH to its "
           "lib folder";
  }
#define SUANLI_FIND(name) library.find(functions.name, #name);
  SUANLI_NCCL_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
  return library.missing().empty() ? "" : "libnccl.so.2 lacks " + library.missing() + ": install a newer one";
}

}  // namespace

const Nccl& nccl() {
  static const Nccl instance = [] {
    Nccl functions;
    functions.problem = open(functions);
    return functions;
  }();
  return instance;
}

}  // namespace suanli::dist
