/// What the reference kernels share: the type they compute in and the walk from a dtype to a C++ type.
#pragma once

#include <type_traits>

#include "tensor/dtype.h"

namespace suanli::kernels::ref {

/// The arithmetic of element type T: f64 for f64, f32 for everything narrower.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// Array arguments, seen as elements of type T.
template <class T>
const T* in(const void* pointer) {
  return static_cast<const T*>(pointer);
}
template <class T>
T* out(void* pointer) {
  return static_cast<T*>(pointer);
}

/// Calls f.operator()<T, W>() for two floating dtypes.
template <class F>
void dispatch_two(DType first, DType second, F&& f) {
  dispatch_floating(first,
                    [&]<class T>() { dispatch_floating(second, [&]<class W>() { f.template operator()<T, W>(); }); });
}

}  // namespace suanli::kernels::ref
