#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/batch_norm.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE const float* floats(const void* p) { return static_cast<const float*>(p); }

/// sums[c] += sum of term(row, c, n) over rows [begin, end), a few rows at a time: the tile stays in the cache and each
/// column in a register.
template <class Term>
HWY_INLINE void add_columns(int64_t begin, int64_t end, int64_t width, float* sums, const Term& term) {
  constexpr int64_t kTile = 32;
  for (int64_t first = begin; first < end; first += kTile) {
    const int64_t last = HWY_MIN(end, first + kTile);
    each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector even = load(sums + c, n), odd = hn::Zero(F32());
      int64_t r = first;
      for (; r + 1 < last; r += 2) {
        even = hn::Add(even, term(r, c, n));
        odd = hn::Add(odd, term(r + 1, c, n));
      }
      if (r < last) even = hn::Add(even, term(r, c, n));
      store(hn::Add(even, odd), sums + c, n);
    });
  }
}

HWY_INLINE void clear(float* sums, int64_t width) {
  each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE { store(hn::Zero(F32()), sums + c, n); });
}

/// The mean of rows [begin, end) and the sum of squares around it: partial [2, width].
template <class T>
void block_statistics_as(const BatchNormStatistics& a, int64_t begin, int64_t end, float* partial) {
  const auto x = [&](int64_t r, int64_t c, int64_t n)
                     SUANLI_INLINE { return load(static_cast<const T*>(a.x) + r * a.width + c, n); };
  float *mean = partial, *squares = partial + a.width;
  clear(mean, a.width);
  clear(squares, a.width);
  add_columns(begin, end, a.width, mean, x);
  const Vector rows = hn::Set(F32(), static_cast<float>(end - begin));
  each_vector(a.width,
              [&](int64_t c, int64_t n) SUANLI_INLINE { store(hn::Div(load(mean + c, n), rows), mean + c, n); });
  add_columns(begin, end, a.width, squares, [&](int64_t r, int64_t c, int64_t n) SUANLI_INLINE {
    const Vector d = hn::Sub(x(r, c, n), load(mean + c, n));
    return hn::Mul(d, d);
  });
}
void batch_norm_block(const BatchNormStatistics& a, int64_t begin, int64_t end, float* partial) {
  a.dtype == DType::f32 ? block_statistics_as<float>(a, begin, end, partial)
                        : block_statistics_as<bfloat16>(a, begin, end, partial);
}

/// factor [width] is rstd * weight.
template <class T>
void forward_as(const BatchNormForward& a, const float* factor, int64_t begin, int64_t end) {
  const Vector zero = hn::Zero(F32());
  for (int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    T* y = static_cast<T*>(a.y) + r * a.width;
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector centred = hn::Sub(load(x + c, n), load(floats(a.mean) + c, n));
      const Vector v = hn::MulAdd(centred, load(factor + c, n), load(floats(a.bias) + c, n));
      store(a.relu ? hn::IfThenZeroElse(hn::Lt(v, zero), v) : v, y + c, n);
    });
  }
}
void batch_norm_rows(const BatchNormForward& a, const float* factor, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? forward_as<float>(a, factor, begin, end) : forward_as<bfloat16>(a, factor, begin, end);
}

/// The gradient at element i: dy, or 0 where a ReLU cut it off.
template <class T, class Args>
HWY_INLINE Vector cut_gradient(const Args& a, int64_t i, int64_t n) {
  const Vector dy = load(static_cast<const T*>(a.dy) + i, n);
  if (a.y == nullptr) return dy;
  return hn::IfThenZeroElse(hn::Le(load(static_cast<const T*>(a.y) + i, n), hn::Zero(F32())), dy);
}
template <class T, class Args>
HWY_INLINE Vector centred(const Args& a, int64_t i, int64_t c, int64_t n) {
  return hn::Sub(load(static_cast<const T*>(a.x) + i, n), load(floats(a.mean) + c, n));
}

/// partial [2, width]: the sums of g and of g xhat over rows [begin, end).
template <class T>
void block_sums_as(const BatchNormSums& a, int64_t begin, int64_t end, float* partial) {
  clear(partial, 2 * a.width);
  add_columns(begin, end, a.width, partial,
              [&](int64_t r, int64_t c, int64_t n) SUANLI_INLINE { return cut_gradient<T>(a, r * a.width + c, n); });
  add_columns(begin, end, a.width, partial + a.width, [&](int64_t r, int64_t c, int64_t n) SUANLI_INLINE {
    const int64_t i = r * a.width + c;
    return hn::Mul(cut_gradient<T>(a, i, n), hn::Mul(centred<T>(a, i, c, n), load(floats(a.rstd) + c, n)));
  });
}
void batch_norm_sums_block(const BatchNormSums& a, int64_t begin, int64_t end, float* partial) {
  a.dtype == DType::f32 ? block_sums_as<float>(a, begin, end, partial)
                        : block_sums_as<bfloat16>(a, begin, end, partial);
}

/// constants [3, width]: dx = constants[0] g - constants[1] - constants[2] (x - mean).
template <class T>
void backward_as(const BatchNormBackward& a, const float* constants, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const int64_t i = r * a.width + c;
      Vector dx = hn::Mul(cut_gradient<T>(a, i, n), load(constants + c, n));
      if (!a.fixed) {
        dx = hn::Sub(dx, load(constants + a.width + c, n));
        dx = hn::NegMulAdd(centred<T>(a, i, c, n), load(constants + 2 * a.width + c, n), dx);
      }
      store(dx, static_cast<T*>(a.dx) + i, n);
    });
  }
}
void batch_norm_backward_rows(const BatchNormBackward& a, const float* constants, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? backward_as<float>(a, constants, begin, end)
                        : backward_as<bfloat16>(a, constants, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/combine.h"
#include "kernels/cpu/row_blocks.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(batch_norm_block);
HWY_EXPORT(batch_norm_rows);
HWY_EXPORT(batch_norm_sums_block);
HWY_EXPORT(batch_norm_backward_rows);

namespace {

template <class Args>
Refusal simd(const Args& args, const Machine& machine) {
  return refuse_unless_simd(machine, args.dtype);
}

/// Calls f(block, begin, end) for blocks of rows, on all threads.
template <class F>
void each_block(const RowBlocks& blocks, int64_t width, const F& f) {
  parallel_for(blocks.count, 32768 / (blocks.size * width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) f(b, blocks.begin(b), blocks.end(b));
  });
}

void run_statistics(const BatchNormStatistics& a, Stream&) {
  const RowBlocks blocks(a.rows);
  float* partial = shared_scratch().get<float>(blocks.count * 2 * a.width + 1);
  each_block(blocks, a.width, [&](int64_t b, int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(batch_norm_block)(a, begin, end, partial + b * 2 * a.width);
  });
  const double rows = static_cast<double>(a.rows);
  for (int64_t c = 0; c < a.width; ++c) {  // blocks together: Chan, Golub and LeVeque 1983
    double sum = 0, squares = 0;
    for (int64_t b = 0; b < blocks.count; ++b) {
      sum += static_cast<double>(partial[b * 2 * a.width + c]) * static_cast<double>(blocks.end(b) - blocks.begin(b));
    }
    const double mean = sum / rows;
    for (int64_t b = 0; b < blocks.count; ++b) {
      const float* block = partial + b * 2 * a.width + c;
      const double d = block[0] - mean;
      squares += block[a.width] + d * d * static_cast<double>(blocks.end(b) - blocks.begin(b));
    }
    static_cast<float*>(a.mean)[c] = static_cast<float>(mean);
    static_cast<float*>(a.rstd)[c] = static_cast<float>(1 / std::sqrt(squares / rows + a.eps));
    if (a.running_mean == nullptr) continue;
    float &running_mean = static_cast<float*>(a.running_mean)[c], &running_var = static_cast<float*>(a.running_var)[c];
    running_mean = static_cast<float>((1 - a.momentum) * running_mean + a.momentum * mean);
    running_var = static_cast<float>((1 - a.momentum) * running_var + a.momentum * squares / (rows - 1));
  }
}

void run_forward(const BatchNormForward& a, Stream&) {
  float* factor = shared_scratch().get<float>(a.width + 1);
  for (int64_t c = 0; c < a.width; ++c) {
    factor[c] = static_cast<const float*>(a.rstd)[c] * static_cast<const float*>(a.weight)[c];
  }
  parallel_for(a.rows, 32768 / (a.width + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(batch_norm_rows)(a, factor, begin, end);
  });
}

void run_sums(const BatchNormSums& a, Stream&) {
  const RowBlocks blocks(a.rows);
  float* partial = shared_scratch().get<float>((blocks.count + 1) * 2 * a.width + 1);
  each_block(blocks, a.width, [&](int64_t b, int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(batch_norm_sums_block)(a, begin, end, partial + b * 2 * a.width);
  });
  float* sums = partial + blocks.count * 2 * a.width;
  combine_row_blocks(partial, blocks.count, 2 * a.width, sums);
  std::copy(sums, sums + a.width, static_cast<float*>(a.dbias));
  std::copy(sums + a.width, sums + 2 * a.width, static_cast<float*>(a.dweight));
}

void run_backward(const BatchNormBackward& a, Stream&) {
  float* constants = shared_scratch().get<float>(3 * a.width + 1);
  const auto value = [](const void* p, int64_t c) { return static_cast<const float*>(p)[c]; };
  const float rows = static_cast<float>(a.rows);
  for (int64_t c = 0; c < a.width; ++c) {
    const float factor = value(a.weight, c) * value(a.rstd, c);
    constants[c] = factor;
    if (a.fixed) continue;
    constants[a.width + c] = factor * value(a.dbias, c) / rows;
    constants[2 * a.width + c] = factor * value(a.rstd, c) * value(a.dweight, c) / rows;
  }
  parallel_for(a.rows, 32768 / (a.width + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(batch_norm_backward_rows)(a, constants, begin, end);
  });
}

}  // namespace

void add_batch_norm() {
  batch_norm_statistics.add({"simd", DeviceType::cpu, simd, run_statistics});
  batch_norm_forward.add({"simd", DeviceType::cpu, simd, run_forward});
  batch_norm_sums.add({"simd", DeviceType::cpu, simd, run_sums});
  batch_norm_backward.add({"simd", DeviceType::cpu, simd, run_backward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
