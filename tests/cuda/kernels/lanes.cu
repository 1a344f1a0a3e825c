// Lanes that part, meet, call and tell each other values.
#include <cassert>
#include <cstdint>

namespace {

__device__ __noinline__ int collatz(int n) {
  int steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

}  // namespace

// Each lane's own number of turns in two nested loops.
extern "C" __global__ void divergent_loops(int* out) {
  int sum = 0;
  for (int i = 0; i < threadIdx.x % 7; ++i) {
    for (int j = i; j < threadIdx.x % 5; ++j) sum += i * 10 + j;
    if (sum > 40) break;
  }
  out[threadIdx.x] = sum;
}

// A call that only some lanes make, of another length in each. After it the lanes are together: the vote sees them all.
extern "C" __global__ void divergent_calls(int* out, unsigned* together) {
  const int lane = threadIdx.x;
  out[lane] = lane % 3 == 0 ? -1 : collatz(lane + 1);
  together[lane] = __activemask();
}

extern "C" __global__ void shuffles(const int* in, int* down, int* up, int* exchanged, int* in_eights) {
  const int lane = threadIdx.x, value = in[lane];
  down[lane] = __shfl_down_sync(~0u, value, 3);
  up[lane] = __shfl_up_sync(~0u, value, 5);
  exchanged[lane] = __shfl_xor_sync(~0u, value, 9);
  in_eights[lane] = __shfl_sync(~0u, value, lane / 2, 8);
}

extern "C" __global__ void votes(const int* in, unsigned* out) {
  const int lane = threadIdx.x, value = in[lane];
  const unsigned ballot = __ballot_sync(~0u, value > 0);
  const unsigned same = __match_any_sync(~0u, value);
  const int all = __all_sync(~0u, value > -100), any = __any_sync(~0u, value > 1000);
  const unsigned sum = __reduce_add_sync(~0u, static_cast<unsigned>(value));
  const int least = __reduce_min_sync(~0u, value);
  unsigned half = 0;
  if (lane < 16) half = __ballot_sync(0xffffu, value > 0);
  out[lane] = ballot, out[32 + lane] = same, out[64 + lane] = all * 2 + any, out[96 + lane] = sum;
  out[128 + lane] = static_cast<unsigned>(least), out[160 + lane] = half;
}

// Lane 31 reads from lane 40 % 32 = 8, which has left.
extern "C" __global__ void shuffle_from_a_lane_that_left(int* out) {
  if (threadIdx.x == 8) return;
  out[threadIdx.x] = __shfl_sync(~0u, static_cast<int>(threadIdx.x), threadIdx.x + 9);
}

// Structs by value, a switch and a local array that is indexed at run time.
struct Weights {
  float of[6];
  int offset;
};
extern "C" __global__ void by_value(Weights w, const int* kind, float* out) {
  float mine[6];
  for (int k = 0; k < 6; ++k) mine[k] = w.of[k] * threadIdx.x;
  float value = mine[(kind[threadIdx.x] + w.offset) % 6];
  switch (kind[threadIdx.x]) {
    case 0:
      value += 100;
      break;
    case 1:
      value *= 2;
      break;
    case 2:
      value = -value;
      break;
    case 3:
      value -= 7;
      break;
    case 4:
      value /= 4;
      break;
    default:
      break;
  }
  out[threadIdx.x] = value;
}

extern "C" __global__ void assertion(int bound) { assert(static_cast<int>(threadIdx.x) < bound); }
