// cp.async with two buffers in flight.
#include <cstdint>

namespace {

__device__ void copy_16(float* to, const float* from, int bytes) {
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<uint32_t>(__cvta_generic_to_shared(to))),
      "l"(from), "r"(bytes)
      : "memory");
}
__device__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kOpen>
__device__ void wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
}

// out[i] = the sum over tiles of in[tile][i], 128 floats a tile, the last of which ends after `last` floats.
template <bool kWait>
__device__ void sum_of_tiles(const float* in, int tiles, int last, float* out) {
  __shared__ __align__(16) float buffer[2][128];
  const int i = threadIdx.x * 4;
  const auto fetch = [&](int tile) {
    const int there = tile + 1 < tiles ? 4 : min(max(last - i, 0), 4);
    copy_16(&buffer[tile % 2][i], in + tile * 128 + (there == 0 ? 0 : i), there * 4);
    commit();
  };
  float sum[4] = {0, 0, 0, 0};
  fetch(0);
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile + 1 < tiles) {
      fetch(tile + 1);
      if (kWait) wait<1>();
    } else if (kWait) {
      wait<0>();
    }
    __syncthreads();
    for (int k = 0; k < 4; ++k) sum[k] += buffer[tile % 2][127 - (i + k)];
    __syncthreads();
  }
  for (int k = 0; k < 4; ++k) out[127 - (i + k)] = sum[k];
}

}  // namespace

extern "C" __global__ void sum_of_tiles_right(const float* in, int tiles, int last, float* out) {
  sum_of_tiles<true>(in, tiles, last, out);
}
extern "C" __global__ void sum_of_tiles_without_wait(const float* in, int tiles, int last, float* out) {
  sum_of_tiles<false>(in, tiles, last, out);
}
