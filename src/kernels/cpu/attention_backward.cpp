#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_backward.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/attention.h"
#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Rows of a product from where it was written to where they belong, unless that is the same place.
template <class T>
HWY_INLINE void deliver(const float* from, int64_t from_stride, T* to, int64_t to_stride, int64_t rows, int64_t width) {
  if (static_cast<const void*>(from) == static_cast<const void*>(to)) return;
  for (int64_t r = 0; r < rows; ++r) {
    each_vector(width, [&](int64_t c, int64_t n)
                           SUANLI_INLINE { store(load(from + r * from_stride + c), to + r * to_stride + c, n); });
  }
}

/// One query head. The heads of a group run one after another on one thread: each but the first adds to dk and dv,
/// whose f32 sums stay where they are, in the output or in this thread's scratch.
template <class T>
void backward_as(const AttentionBackward& a, int64_t sequence, int64_t head) {
  const int64_t first = a.offsets[sequence], keys = a.offsets[sequence + 1] - first, width = a.head_size;
  const int64_t padded_keys = whole_vectors(keys), padded = whole_vectors(width), row_width = a.heads * width;
  float* memory = local_scratch().get<float>((2 * width + 2 * kQueryBlock + 1) * padded_keys + kDropoutSlack +
                                             (3 * keys + 3 * kQueryBlock) * padded);
  const auto take = [&](int64_t count) SUANLI_INLINE { return (memory += count) - count; };
  float *keys_t = take(width * padded_keys), *values_t = take(width * padded_keys);
  float *p = take(kQueryBlock * padded_keys), *dp = take(kQueryBlock * padded_keys);
  float *k_rows = take(keys * padded), *dk_rows = take(keys * padded);
  float *dv_rows = take(keys * padded), *q_rows = take(kQueryBlock * padded), *do_rows = take(kQueryBlock * padded);
  float *dq_rows = take(kQueryBlock * padded), *factors = memory;

  const bool adds = head % a.group != 0;
  const int64_t of_queries = first * a.stride + head * width, of_keys = first * a.stride + head / a.group * width;
  const auto in = [&](const void* base, int64_t at) SUANLI_INLINE { return static_cast<const T*>(base) + at; };
  const auto out = [&](void* base, int64_t at) SUANLI_INLINE { return static_cast<T*>(base) + at; };
  const Rows k = rows_of(in(a.k, of_keys), a.stride, keys, width, k_rows);
  transpose(in(a.k, of_keys), a.stride, keys, width, keys_t, padded_keys);
  transpose(in(a.v, of_keys), a.stride, keys, width, values_t, padded_keys);
  float* dk = writable_rows(out(a.dk, of_keys), width, dk_rows);
  float* dv = writable_rows(out(a.dv, of_keys), width, dv_rows);
  const int64_t d_stride = dk == dk_rows ? padded : a.stride;
  const Vector scale = hn::Set(F32(), static_cast<float>(a.scale));

  const DropoutFactors dropout_factors(a.dropout);
  for (int64_t block = 0; block < keys; block += kQueryBlock) {
    const int64_t queries = HWY_MIN(kQueryBlock, keys - block);
    const int64_t seen = a.causal ? block + queries : keys;                      // keys of any of them
    const int64_t summed = adds ? seen : a.causal || block == 0 ? block : keys;  // keys that had queries before
    const T* dout = static_cast<const T*>(a.dout) + (first + block) * row_width + head * width;
    const T* y = static_cast<const T*>(a.out) + (first + block) * row_width + head * width;
    const Rows q = rows_of(in(a.q, of_queries + block * a.stride), a.stride, queries, width, q_rows);
    const Rows d = rows_of(dout, row_width, queries, width, do_rows);
    small_product(queries, seen, width, {q.data, q.stride, 1}, {keys_t, padded_keys}, p, padded_keys, false);
    small_product(queries, seen, width, {d.data, d.stride, 1}, {values_t, padded_keys}, dp, padded_keys, false);
    for (int64_t i = 0; i < queries; ++i) {
      // p becomes f p, dp becomes scale ds = scale p (f dp - delta).
      const int64_t token = head * a.tokens + first + block + i, own = a.causal ? block + i + 1 : keys;
      const Vector lse = hn::Set(F32(), static_cast<const float*>(a.lse)[token]);
      const Vector delta = hn::Set(F32(), dot(dout + i * row_width, y + i * row_width, width));
      float *p_row = p + i * padded_keys, *dp_row = dp + i * padded_keys;
      if (a.dropout.probability > 0) {
        const float* f = dropout_factors(static_cast<uint64_t>(token) << 20, own, factors);
        each_vector(own, [&](int64_t j, int64_t) SUANLI_INLINE {
          const Vector e = exp_negative(hn::MulSub(load(p_row + j), scale, lse)), factor = load(f + j);
          store(hn::Mul(e, factor), p_row + j);
          store(hn::Mul(hn::Mul(e, scale), hn::MulSub(load(dp_row + j), factor, delta)), dp_row + j);
        });
      } else {
        each_vector(own, [&](int64_t j, int64_t) SUANLI_INLINE {
          const Vector e = exp_negative(hn::MulSub(load(p_row + j), scale, lse));
          store(e, p_row + j);
          store(hn::Mul(hn::Mul(e, scale), hn::Sub(load(dp_row + j), delta)), dp_row + j);
        });
      }
      clear(p_row, own, seen);
      clear(dp_row, own, seen);
    }
    float* dq = writable_rows(out(a.dq, of_queries + block * a.stride), width, dq_rows);
    const int64_t dq_stride = dq == dq_rows ? padded : a.stride;
    small_product(queries, width, seen, {dp, padded_keys, 1}, k, dq, dq_stride, false);
    deliver(dq, dq_stride, out(a.dq, of_queries + block * a.stride), a.stride, queries, width);
    const auto add_queries = [&](const float* weights, const Rows& rows, float* sums) SUANLI_INLINE {
      small_product(summed, width, queries, {weights, 1, padded_keys}, rows, sums, d_stride, true);
      small_product(seen - summed, width, queries, {weights + summed, 1, padded_keys}, rows, sums + summed * d_stride,
                    d_stride, false);
    };
    add_queries(p, d, dv);
    add_queries(dp, q, dk);
  }
  deliver(dk, d_stride, out(a.dk, of_keys), a.stride, keys, width);
  deliver(dv, d_stride, out(a.dv, of_keys), a.stride, keys, width);
}

void attention_backward_task(const AttentionBackward& a, int64_t sequence, int64_t head) {
  a.dtype == DType::f32 ? backward_as<float>(a, sequence, head) : backward_as<bfloat16>(a, sequence, head);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(attention_backward_task);

void add_attention_backward() {
  attention_backward.add({"simd", DeviceType::cpu,
                          [](const AttentionBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                          [](const AttentionBackward& a, Stream&) {
                            const bool small = a.tokens * a.longest * a.heads * a.head_size < (1 << 17);
                            const int64_t groups = a.heads / a.group;
                            parallel_tasks(a.sequences * groups, small, [&](int64_t task) {
                              const int64_t sequence = task / groups, first = task % groups * a.group;
                              if (a.offsets[sequence] == a.offsets[sequence + 1]) return;
                              for (int64_t head = first; head < first + a.group; ++head) {
                                HWY_DYNAMIC_DISPATCH(attention_backward_task)(a, sequence, head);
                              }
                            });
                          }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
