#include "tensor/cuda/library.h"

#include <dlfcn.h>

namespace suanli::cuda {

Library::Library(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (handle_ == nullptr) handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
}

std::string Library::problem(const std::string& name, const std::string& way_out) const {
  if (!found()) return name + " is not found: " + way_out;
  return missing_.empty() ? "" : name + " lacks " + missing_ + ": install a newer one";
}

void* Library::symbol(const char* name) const { return handle_ == nullptr ? nullptr : dlsym(handle_, name); }

}  // namespace suanli::cuda
