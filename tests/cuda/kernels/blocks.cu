// What the warps of a block do together; each bug stands beside its correct twin.

namespace {

// Sums in shared memory, halving the threads each round.
template <bool kBarrier>
__device__ void block_sum(const float* in, float* out, float* shared) {
  shared[threadIdx.x] = in[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  for (unsigned n = blockDim.x / 2; n > 0; n /= 2) {
    if (threadIdx.x < n) shared[threadIdx.x] += shared[threadIdx.x + n];
    if (kBarrier) __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = shared[0];
}

// Neighbours within a warp exchange through shared memory.
template <bool kBarrier>
__device__ void neighbours(const int* in, int* out, volatile int* shared) {
  shared[threadIdx.x] = in[threadIdx.x];
  if (kBarrier) __syncwarp();
  out[threadIdx.x] = shared[threadIdx.x ^ 1];
}

// The second tile is written where the first is still read.
template <bool kBarrier>
__device__ void two_tiles(const int* in, int* out) {
  __shared__ int tile[256];
  int sum = 0;
  for (int t = 0; t < 2; ++t) {
    tile[threadIdx.x] = in[t * 256 + threadIdx.x];
    __syncthreads();
    sum += tile[255 - threadIdx.x];
    if (kBarrier) __syncthreads();
  }
  out[threadIdx.x] = sum;
}

template <bool kTail>
__device__ void scale(const float* in, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (kTail ? i < n : i <= n) out[i] = 2 * in[i];
}

}  // namespace

extern "C" __global__ void block_sum_right(const float* in, float* out) {
  extern __shared__ float shared[];
  block_sum<true>(in, out, shared);
}
extern "C" __global__ void block_sum_without_barrier(const float* in, float* out) {
  extern __shared__ float shared[];
  block_sum<false>(in, out, shared);
}
extern "C" __global__ void neighbours_right(const int* in, int* out) {
  __shared__ int shared[32];
  neighbours<true>(in, out, shared);
}
extern "C" __global__ void neighbours_without_barrier(const int* in, int* out) {
  __shared__ int shared[32];
  neighbours<false>(in, out, shared);
}
extern "C" __global__ void two_tiles_right(const int* in, int* out) { two_tiles<true>(in, out); }
extern "C" __global__ void two_tiles_without_second_barrier(const int* in, int* out) { two_tiles<false>(in, out); }
extern "C" __global__ void scale_right(const float* in, float* out, int n) { scale<true>(in, out, n); }
extern "C" __global__ void scale_one_too_many(const float* in, float* out, int n) { scale<false>(in, out, n); }

// Bytes of one word from different lanes are no race.
extern "C" __global__ void bytes_of_a_word(unsigned char* out) {
  __shared__ unsigned char bytes[64];
  bytes[threadIdx.x] = static_cast<unsigned char>(threadIdx.x * 3);
  __syncthreads();
  out[threadIdx.x] = bytes[63 - threadIdx.x];
}

extern "C" __global__ void histogram(const int* in, int* out) {
  __shared__ int bins[8];
  if (threadIdx.x < 8) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[in[blockIdx.x * blockDim.x + threadIdx.x] & 7], 1);
  __syncthreads();
  if (threadIdx.x < 8) atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}

// Half of a warp waits at one barrier, the other half at the next.
extern "C" __global__ void divergent_barrier(int* out) {
  if (threadIdx.x % 32 < 16) {
    __syncthreads();
    out[threadIdx.x] = 1;
  } else {
    out[threadIdx.x] = 2;
    __syncthreads();
    out[threadIdx.x] = 3;
  }
}

extern "C" __global__ void votes_of_a_block(const int* in, int* out) {
  out[threadIdx.x] = __syncthreads_count(in[threadIdx.x] > 0) + 1000 * __syncthreads_and(in[threadIdx.x] > -5) +
                     10000 * __syncthreads_or(in[threadIdx.x] > 500);
}

// Warps 0 and 1 hand a value over through named barrier 1; warps 2 and 3 never see it.
extern "C" __global__ void named_barrier(int* out) {
  __shared__ int value[32];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (warp == 0) {
    value[lane] = lane * lane;
    asm volatile("bar.arrive 1, 64;" ::: "memory");
  } else if (warp == 1) {
    asm volatile("bar.sync 1, 64;" ::: "memory");
    out[lane] = value[lane ^ 1];
  }
}

extern "C" __global__ void read_of_unwritten_shared(int* out) {
  __shared__ int shared[64];
  if (threadIdx.x < 63) shared[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = shared[threadIdx.x];
}

extern "C" __global__ void vector_load(const float* in, int offset, float* out) {
  const float4 v = *reinterpret_cast<const float4*>(in + offset + 4 * threadIdx.x);
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}

extern "C" __global__ void beyond_shared(int* out, int n) {
  extern __shared__ int dynamic[];
  dynamic[threadIdx.x + n] = 1;
  out[threadIdx.x] = dynamic[threadIdx.x + n];
}
