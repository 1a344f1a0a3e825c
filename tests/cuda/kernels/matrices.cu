// Tensor core products over tiles in global and shared memory, with fragments as the PTX ISA lays them out.
#include <cstdint>

namespace {

__device__ uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ void load_4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}
__device__ void load_2_transposed(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row)));
}

#define MULTIPLY(types, c, a, b)                                                                                   \
  asm volatile("mma.sync.aligned.m16n8k16.row.col." types " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

// C [16,8] = A [16,16] B [16,8], all row-major. kWrong takes B's rows for those of its neighbour.
template <bool kHalf, bool kWrong>
__device__ void product_16(const uint16_t* a, const uint16_t* b, float* c) {
  __shared__ __align__(16) uint16_t tile_a[16][16], tile_b[16][8];
  const int lane = threadIdx.x;
  for (int k = lane; k < 256; k += 32) tile_a[k / 16][k % 16] = a[k];
  for (int k = lane; k < 128; k += 32) tile_b[k / 8][k % 8] = b[k];
  __syncwarp();
  uint32_t fragment_a[4], fragment_b[2];
  load_4(fragment_a, &tile_a[lane % 16][lane / 16 * 8]);
  load_2_transposed(fragment_b, tile_b[kWrong ? (lane + 1) % 16 : lane % 16]);
  float sum[4] = {0, 0, 0, 0};
  if (kHalf)
    MULTIPLY("f32.f16.f16.f32", sum, fragment_a, fragment_b);
  else
    MULTIPLY("f32.bf16.bf16.f32", sum, fragment_a, fragment_b);
  for (int k = 0; k < 4; ++k) c[(lane / 4 + k / 2 * 8) * 8 + lane % 4 * 2 + k % 2] = sum[k];
}

}  // namespace

extern "C" __global__ void product_bf16(const uint16_t* a, const uint16_t* b, float* c) {
  product_16<false, false>(a, b, c);
}
extern "C" __global__ void product_f16(const uint16_t* a, const uint16_t* b, float* c) {
  product_16<true, false>(a, b, c);
}
extern "C" __global__ void product_with_a_wrong_lane(const uint16_t* a, const uint16_t* b, float* c) {
  product_16<false, true>(a, b, c);
}

// C [16,8] = A [16,8] B [8,8] in tf32.
extern "C" __global__ void product_tf32(const float* a, const float* b, float* c) {
  const int group = threadIdx.x / 4, place = threadIdx.x % 4;
  const uint32_t a0 = __float_as_uint(a[group * 8 + place]), a1 = __float_as_uint(a[(group + 8) * 8 + place]);
  const uint32_t a2 = __float_as_uint(a[group * 8 + place + 4]), a3 = __float_as_uint(a[(group + 8) * 8 + place + 4]);
  const uint32_t b0 = __float_as_uint(b[place * 8 + group]), b1 = __float_as_uint(b[(place + 4) * 8 + group]);
  float sum[4] = {0, 0, 0, 0};
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  for (int k = 0; k < 4; ++k) c[(group + k / 2 * 8) * 8 + place * 2 + k % 2] = sum[k];
}

// C [16,8] = A [16,32] B^T, B [8,32], in int8: four elements lie in each register.
extern "C" __global__ void product_s8(const int8_t* a, const int8_t* b, int* c) {
  const int group = threadIdx.x / 4, place = threadIdx.x % 4;
  const auto word = [](const int8_t* p) { return *reinterpret_cast<const uint32_t*>(p); };
  const uint32_t a0 = word(a + group * 32 + place * 4), a1 = word(a + (group + 8) * 32 + place * 4);
  const uint32_t a2 = word(a + group * 32 + place * 4 + 16), a3 = word(a + (group + 8) * 32 + place * 4 + 16);
  const uint32_t b0 = word(b + group * 32 + place * 4), b1 = word(b + group * 32 + place * 4 + 16);
  int sum[4] = {0, 0, 0, 0};
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  for (int k = 0; k < 4; ++k) c[(group + k / 2 * 8) * 8 + place * 2 + k % 2] = sum[k];
}

// C [8,8] = A [8,4] B [4,8] in f64.
extern "C" __global__ void product_f64(const double* a, const double* b, double* c) {
  const int group = threadIdx.x / 4, place = threadIdx.x % 4;
  double sum[2] = {0, 0};
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
               : "+d"(sum[0]), "+d"(sum[1])
               : "d"(a[group * 4 + place]), "d"(b[place * 8 + group]));
  for (int k = 0; k < 2; ++k) c[group * 8 + place * 2 + k] = sum[k];
}
