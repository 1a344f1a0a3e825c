/// What the stand-ins of CUDA's libraries count.
#pragma once

#include <dlfcn.h>

namespace suanli::testing {

/// The function `name` of a library that is open already; null where it is not, or is no stand-in.
template <class Function>
Function* of_stand_in(const char* library, const char* name) {
  void* const opened = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<Function*>(opened == nullptr ? nullptr : dlsym(opened, name));
}

}  // namespace suanli::testing
