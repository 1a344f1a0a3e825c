#include "kernels/cpu/peak.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/parallel.h"
#include "kernels/cpu/amx_square.h"
#include "kernels/machine.h"
#include "tensor/tensor.h"

namespace suanli::kernels {

namespace {

// Each loop keeps enough independent sums in registers to hide the latency of its instruction, and returns the
// operations it did. The sums are stored at the end, so that the compiler must compute them.
constexpr int64_t kRounds = 20000;
constexpr int kSums = 12;

double scalar_f32(float* sink) {
  float sums[kSums] = {};
  for (int64_t i = 0; i < kRounds; ++i) {
    for (float& sum : sums) {
      sum = sum * 0.999F + 1.0F;
      asm volatile("" : "+x"(sum));
    }
  }
  for (float sum : sums) *sink += sum;
  return 2.0 * kRounds * kSums;
}

__attribute__((target("avx2,fma"))) double avx2_f32(float* sink) {
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(1.0F);
  __m256 sums[kSums];
  for (auto& sum : sums) sum = b;
  for (int64_t i = 0; i < kRounds; ++i) {
    for (auto& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  }
  for (const auto& sum : sums) *sink += _mm256_cvtss_f32(sum);
  return 2.0 * 8 * kRounds * kSums;
}

__attribute__((target("avx512f"))) double avx512_f32(float* sink) {
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(1.0F);
  __m512 sums[kSums];
  for (auto& sum : sums) sum = b;
  for (int64_t i = 0; i < kRounds; ++i) {
    for (auto& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  }
  for (const auto& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 16 * kRounds * kSums;
}

__attribute__((target("avx512f,avx512bf16"))) double avx512_bf16(float* sink) {
  const __m512bh a = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f80));
  __m512 sums[kSums];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < kRounds; ++i) {
    for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, a, a);
  }
  for (const auto& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 32 * kRounds * kSums;
}

__attribute__((target("avx512f,avx512vnni"))) double avx512_i8(float* sink) {
  const __m512i a = _mm512_set1_epi8(1);
  __m512i sums[kSums];
  for (auto& sum : sums) sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < kRounds; ++i) {
    for (auto& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, a);
  }
  for (const auto& sum : sums) *sink += static_cast<float>(_mm512_cvtsi512_si32(sum));
  return 2.0 * 64 * kRounds * kSums;
}

/// Products alone, without loads and in few tiles: nothing but the unit's own rate.
template <class Kind>
SUANLI_AMX double amx(float* sink) {
  alignas(64) uint8_t operand[1024];
  std::memset(operand, 0x3f, sizeof(operand));
  alignas(64) float result[256];
  const TileConfiguration tiles;
  _tile_zero(0);
  _tile_zero(1);
  _tile_loadd(2, operand, 64);
  _tile_loadd(3, operand, 64);
  for (int64_t i = 0; i < kRounds / 4; ++i) {
    Kind::upper();
    Kind::lower();
  }
  _tile_stored(0, result, 64);
  *sink += result[0];
  return 2.0 * 2 * 16 * 16 * (64 / sizeof(typename Kind::Element)) * (kRounds / 4);
}

using Loop = double (*)(float*);

Loop fastest_loop(DType dtype) {
  const Machine& m = machine();
  switch (dtype) {
    case DType::f32:
      return m.isa >= Isa::avx512 ? avx512_f32 : m.isa >= Isa::avx2 ? avx2_f32 : scalar_f32;
    case DType::bf16:
      return m.isa >= Isa::amx ? amx<PairsOfBfloat16> : m.avx512_bf16 ? avx512_bf16 : nullptr;
    case DType::i8:
      return m.isa >= Isa::amx ? amx<QuadsOfInt8> : m.avx512_vnni ? avx512_i8 : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

double measured_peak(DType dtype, double seconds) {
  const Loop loop = fastest_loop(dtype);
  if (loop == nullptr) return 0;
  double best = 0;
  const double end = seconds_now() + seconds;
  do {
    std::atomic<double> operations = 0;
    const double start = seconds_now();
    on_all_threads([&](int, int) {
      float sink = 0;
      for (int repeat = 0; repeat < 4; ++repeat) operations += loop(&sink);
      asm volatile("" : : "x"(sink));
    });
    best = std::max(best, operations / (seconds_now() - start));
  } while (seconds_now() < end);
  return best;
}

double measured_read_bandwidth() {
  constexpr int64_t kBytes = int64_t{1} << 30;
  const Tensor buffer = Tensor::zeros({kBytes / 8}, DType::i64);
  const auto words = buffer.host<int64_t>();
  double best = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const double start = seconds_now();
    parallel_for(kBytes / 8, 1, [&](int64_t begin, int64_t end) {
      int64_t sum = 0;
      for (int64_t i = begin; i < end; ++i) sum += words[static_cast<size_t>(i)];
      asm volatile("" : : "r"(sum));
    });
    best = std::max(best, static_cast<double>(kBytes) / (seconds_now() - start));
  }
  return best;
}

}  // namespace suanli::kernels
