#include "tensor/cuda/managed.h"

#include <bit>

#include "base/env.h"
#include "base/error.h"
#include "tensor/cuda/driver.h"
#include "tensor/cuda/graph.h"

namespace suanli::cuda {

namespace {

template <class F>
F* function(const char* name) {
  auto* found = reinterpret_cast<F*>(driver_function(name));
  if (found == nullptr) {
    throw EnvironmentError("SUANLI_CUDA_MEMORY",
                           std::string("expected a driver of CUDA 12.2 or newer, this one lacks ") + name +
                               "; install a newer one or use device memory");
  }
  return found;
}

}  // namespace

bool wants_managed_memory() {
  const std::string value = environment("SUANLI_CUDA_MEMORY").value_or("device");
  if (value != "device" && value != "managed") {
    throw UserError("SUANLI_CUDA_MEMORY", "expected device or managed, got \"" + value + "\"");
  }
  return value == "managed";
}

void* allocate_managed(int64_t bytes, int index, CUstream stream) {
  static auto* const advise = function<decltype(cuMemAdvise_v2)>("cuMemAdvise_v2");
  static auto* const prefetch = function<decltype(cuMemPrefetchAsync_v2)>("cuMemPrefetchAsync_v2");
  CUdeviceptr memory = 0;
  const auto size = static_cast<size_t>(bytes);
  const CUresult result = driver().cuMemAllocManaged(&memory, size, CU_MEM_ATTACH_GLOBAL);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) return nullptr;
  check(result, "cuMemAllocManaged");
  CUmemLocation here = {};
  here.type = CU_MEM_LOCATION_TYPE_DEVICE;
  here.id = index;
  check(advise(memory, size, CU_MEM_ADVISE_SET_PREFERRED_LOCATION, here), "cuMemAdvise");
  check(advise(memory, size, CU_MEM_ADVISE_SET_ACCESSED_BY, here), "cuMemAdvise");
  if (!capturing()) check(prefetch(memory, size, here, 0, stream), "cuMemPrefetchAsync");
  return std::bit_cast<void*>(memory);
}

}  // namespace suanli::cuda
