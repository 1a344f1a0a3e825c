/// From the exact sums of a square to its part of C, on AVX-512; a bf16 C needs its conversion too (avx512_bf16).
#pragma once

#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/quantized_tasks.h"

#define SUANLI_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

namespace suanli::kernels {

/// Finishes some rows at a time, so that it can run beside the products of the next square. `sums` [32, 32] is 64-byte
/// aligned and becomes its working memory.
class QuantizedFinish {
 public:
  QuantizedFinish() = default;
  SUANLI_AVX512 QuantizedFinish(const QuantizedMatmul& args, const QuantizedSquare& place, int32_t* sums)
      : args_(&args), place_(place), sums_(sums) {
    for (int half = 0; half < 2; ++half) {
      const int64_t n = place.n + 16 * half;
      mask_[half] = first_of_16(place.columns - 16 * half);
      scale_[half] = _mm512_maskz_loadu_ps(mask_[half], args.b_scale + n);
      bias_[half] = _mm512_setzero_ps();
      if (args.bias != nullptr && args.bias_dtype == DType::f32) {
        bias_[half] = _mm512_maskz_loadu_ps(mask_[half], static_cast<const float*>(args.bias) + n);
      } else if (args.bias != nullptr) {
        const __m256i bits = _mm256_maskz_loadu_epi16(mask_[half], static_cast<const uint16_t*>(args.bias) + n);
        bias_[half] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
      }
    }
  }

  /// Makes ready the next rows() to be written, some at a time.
  SUANLI_AMX void prefetch(int64_t count) {
    const int64_t size = size_of(args_->dtype);
    for (; count > 0 && prefetched_ < place_.rows; --count, ++prefetched_) {
      const int64_t at = (place_.m + prefetched_) * args_->n + place_.n;
      prefetch_to_write(static_cast<const char*>(args_->c) + at * size, kSide * size);
    }
  }

  SUANLI_AVX512 void rows(int64_t count) {
    const int64_t end = std::min(place_.rows, row_ + count);
    if (row_ >= end) return;
    if (args_->activation) {
      for (int64_t r = row_; r < end; ++r) {
        for (int half = 0; half < 2; ++half) _mm512_store_ps(at(r, half), value(r, half));
      }
      activate_sums(*args_->activation, at(row_, 0), nullptr, (end - row_) * kSide);
      for (; row_ < end; ++row_) put(row_, _mm512_load_ps(at(row_, 0)), _mm512_load_ps(at(row_, 1)));
    } else {
      for (; row_ < end; ++row_) put(row_, value(row_, 0), value(row_, 1));
    }
  }

 private:
  float* at(int64_t row, int half) const { return reinterpret_cast<float*>(sums_ + row * kSide + 16 * half); }

  SUANLI_AVX512 __m512 value(int64_t row, int half) const {
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_load_si512(sums_ + row * kSide + 16 * half));
    return _mm512_fmadd_ps(_mm512_mul_ps(sum, scale_[half]), _mm512_set1_ps(args_->a_scale[place_.m + row]),
                           bias_[half]);
  }

  SUANLI_AVX512 void put(int64_t row, __m512 left, __m512 right) const {
    const int64_t place = (place_.m + row) * args_->n + place_.n;
    if (args_->dtype == DType::f32) {
      float* c = static_cast<float*>(args_->c) + place;
      _mm512_mask_storeu_ps(c, mask_[0], left);
      _mm512_mask_storeu_ps(c + 16, mask_[1], right);
    } else {
      const auto mask = static_cast<__mmask32>(mask_[0] | static_cast<uint32_t>(mask_[1]) << 16U);
      _mm512_mask_storeu_epi16(static_cast<uint16_t*>(args_->c) + place, mask,
                               reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right, left)));
    }
  }

  const QuantizedMatmul* args_ = nullptr;
  QuantizedSquare place_ = {};
  int32_t* sums_ = nullptr;
  int64_t row_ = 0, prefetched_ = 0;
  __m512 scale_[2] = {}, bias_[2] = {};
  __mmask16 mask_[2] = {};
};

}  // namespace suanli::kernels
