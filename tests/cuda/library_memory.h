/// What the stand-ins of CUDA's libraries share: bytes of a device, numbers of every type in them, and work in a
/// stream's order, by way of the driver's stand-in.
#pragma once

#include <cuda.h>
#include <dlfcn.h>
#include <library_types.h>

#include <cmath>
#include <cstdio>
#include <cstring>

#include "ptx/float_format.h"

namespace stand_in {

template <class Function>
Function of_driver(const char* name) {
  const auto function = reinterpret_cast<Function>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), name));
  if (!function) std::fprintf(stderr, "[stand-in] expected the stand-in of libcuda.so.1 beside it: no %s\n", name);
  return function;
}

/// Device bytes, or null where the driver refused.
inline std::byte* host(uint64_t address, int64_t bytes, bool will_write) {
  static const auto function = of_driver<void* (*)(CUdeviceptr, size_t, int)>("stand_in_host_pointer");
  return function ? static_cast<std::byte*>(function(address, static_cast<size_t>(bytes), will_write)) : nullptr;
}

/// Queues function(data); `data` must live as long as a graph that captured it.
inline bool queue(void* stream, CUhostFn function, void* data) {
  static const auto launch = of_driver<CUresult (*)(CUstream, CUhostFn, void*)>("cuLaunchHostFunc");
  return launch && launch(static_cast<CUstream>(stream), function, data) == CUDA_SUCCESS;
}

/// Bytes of an element; 0 for types that the stand-ins do not have.
inline int64_t bytes_of(cudaDataType type) {
  switch (type) {
    case CUDA_R_8I:
      return 1;
    case CUDA_R_16F:
    case CUDA_R_16BF:
      return 2;
    case CUDA_R_32F:
    case CUDA_R_32I:
      return 4;
    case CUDA_R_64F:
      return 8;
    default:
      return 0;
  }
}

inline double load(cudaDataType type, const std::byte* at) {
  const auto as = [&]<class T>(T value) { return std::memcpy(&value, at, sizeof value), value; };
  switch (type) {
    case CUDA_R_16F:
      return ptx::wide(as(ptx::Half{}));
    case CUDA_R_16BF:
      return ptx::wide(as(ptx::BFloat{}));
    case CUDA_R_32F:
      return as(0.0f);
    case CUDA_R_64F:
      return as(0.0);
    case CUDA_R_8I:
      return as(int8_t{});
    default:
      return as(int32_t{});
  }
}

/// Rounds once.
inline void store(cudaDataType type, std::byte* at, double value) {
  const auto put = [&](auto v) { std::memcpy(at, &v, sizeof v); };
  switch (type) {
    case CUDA_R_16F:
      return put(ptx::narrow<ptx::Half>(value));
    case CUDA_R_16BF:
      return put(ptx::narrow<ptx::BFloat>(value));
    case CUDA_R_32F:
      return put(static_cast<float>(value));
    case CUDA_R_64F:
      return put(value);
    case CUDA_R_8I:
      return put(static_cast<int8_t>(std::fmin(std::fmax(std::nearbyint(value), -128), 127)));
    default:
      return put(static_cast<int32_t>(value));
  }
}

/// As tensor cores read an f32 operand: tf32 keeps 10 bits of fraction.
inline double as_tf32(double value) { return ptx::round_to(value, ptx::kTf32, ptx::Rounding::nearest_away); }

}  // namespace stand_in
