#include "kernels/cpu/add.h"
#include "kernels/cpu/quantized_finish.h"
#include "kernels/cpu/scratch.h"

#define SUANLI_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace suanli::kernels {

namespace {

constexpr int64_t kBlockRows = 8;

/// sums [8, 32] of A + 128, which is what VPDPBUSD wants of its left factor: they start from -128 times the sums of B.
SUANLI_VNNI void block(int64_t steps, const uint8_t* a, const int8_t* b, int32_t* sums) {
  const int64_t stride = steps * QuantizedLayout::kDepth;
  __m512i total[kBlockRows][2];
  for (int half = 0; half < 2; ++half) {
    const __m512i of_b = _mm512_loadu_si512(b + steps * QuantizedLayout::kStep + 64 * half);
    const __m512i start = _mm512_slli_epi32(_mm512_sub_epi32(_mm512_setzero_si512(), of_b), 7);
#pragma GCC unroll 8
    for (int64_t m = 0; m < kBlockRows; ++m) total[m][half] = start;
  }
  for (int64_t step = 0; step < steps; ++step, b += QuantizedLayout::kHalf) {
    for (int64_t quad = 0; quad < 16; ++quad, a += 4, b += 64) {
      const __m512i left = _mm512_loadu_si512(b), right = _mm512_loadu_si512(b + QuantizedLayout::kHalf);
#pragma GCC unroll 8
      for (int64_t m = 0; m < kBlockRows; ++m) {
        int32_t four;
        std::memcpy(&four, a + m * stride, sizeof four);
        const __m512i row = _mm512_set1_epi32(four);
        total[m][0] = _mm512_dpbusd_epi32(total[m][0], row, left);
        total[m][1] = _mm512_dpbusd_epi32(total[m][1], row, right);
      }
    }
  }
#pragma GCC unroll 8
  for (int64_t m = 0; m < kBlockRows; ++m) {
    _mm512_store_si512(sums + m * kSide, total[m][0]);
    _mm512_store_si512(sums + m * kSide + 16, total[m][1]);
  }
}

/// Squares by dot products of quads.
class VnniSquares {
 public:
  explicit VnniSquares(const QuantizedMatmul& args)
      : args_(args),
        steps_(QuantizedLayout{args.n, args.k}.steps()),
        left_(local_scratch().get<uint8_t>(kSide * steps_ * QuantizedLayout::kDepth + 64)) {}

  /// A + 128; what lies beyond K and beyond the rows is multiplied by zeros or never looked at.
  void begin(int64_t m, int64_t rows) {
    for (int64_t r = 0; r < rows; ++r) {
      const int8_t* a = args_.a + (m + r) * args_.k;
      uint8_t* to = left_ + r * steps_ * QuantizedLayout::kDepth;
      for (int64_t k = 0; k < args_.k; ++k) to[k] = static_cast<uint8_t>(a[k]) ^ 0x80U;
    }
  }

  void square(const QuantizedSquare& place, const int8_t* b) {
    alignas(64) int32_t sums[kSide * kSide];
    for (int64_t m = 0; m < place.rows; m += kBlockRows) {
      block(steps_, left_ + m * steps_ * QuantizedLayout::kDepth, b, sums + m * kSide);
    }
    QuantizedFinish(args_, place, sums).rows(kSide);
  }
  void end() {}

 private:
  const QuantizedMatmul& args_;
  int64_t steps_;
  uint8_t* left_;
};

void run(const QuantizedMatmul& args, Stream&) {
  each_quantized_task(args, int64_t{1} << 21, [&](const Tile& range) {
    VnniSquares squares(args);
    each_square(args, range, squares);
  });
}

Refusal can_run(const QuantizedMatmul& a, const Machine& machine) {
  if (!machine.avx512_vnni) return "needs AVX-512 with VNNI";
  if (a.dtype != DType::f32 && (a.dtype != DType::bf16 || !machine.avx512_bf16)) {
    return "dtype is not f32, nor bf16 with instructions for it";
  }
  return refuse_quantized(a);
}

}  // namespace

void add_quantized_matmul_vnni() { quantized_matmul.add({"vnni", DeviceType::cpu, can_run, run}); }

}  // namespace suanli::kernels
