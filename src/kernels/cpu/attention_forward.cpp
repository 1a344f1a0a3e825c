#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_forward.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/attention.h"
#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Query rows [begin, end) of one head of one sequence, kQueryBlock at a time.
template <class T>
void forward_as(const AttentionForward& a, int64_t sequence, int64_t head, int64_t begin, int64_t end) {
  const int64_t first = a.offsets[sequence], length = a.offsets[sequence + 1] - first, width = a.head_size;
  const int64_t keys = a.causal ? end : length;  // of these queries
  const int64_t padded_keys = whole_vectors(keys), padded = whole_vectors(width);
  float* memory = local_scratch().get<float>((width + kQueryBlock) * padded_keys + padded_keys + kDropoutSlack +
                                             (keys + 2 * kQueryBlock) * padded);
  float* transposed = memory;
  float* scores = transposed + width * padded_keys;
  float* factors = scores + kQueryBlock * padded_keys;
  float* value_rows = factors + padded_keys + kDropoutSlack;
  float* query_rows = value_rows + keys * padded;
  float* out_rows = query_rows + kQueryBlock * padded;

  const auto at = [&](const void* base, int64_t row, int64_t of_head) SUANLI_INLINE {
    return static_cast<const T*>(base) + (first + row) * a.stride + of_head * width;
  };
  const int64_t key_head = head / a.group;
  transpose(at(a.k, 0, key_head), a.stride, keys, width, transposed, padded_keys);
  const Rows values = rows_of(at(a.v, 0, key_head), a.stride, keys, width, value_rows);
  const DropoutFactors dropout_factors(a.dropout);
  for (int64_t block = begin; block < end; block += kQueryBlock) {
    const int64_t queries = HWY_MIN(kQueryBlock, end - block);
    const int64_t seen = a.causal ? block + queries : keys;  // keys of any of them
    const Rows q = rows_of(at(a.q, block, head), a.stride, queries, width, query_rows);
    small_product(queries, seen, width, {q.data, q.stride, 1}, {transposed, padded_keys}, scores, padded_keys, false);
    float inverse[kQueryBlock];
    for (int64_t i = 0; i < queries; ++i) {
      float* row = scores + i * padded_keys;
      const int64_t token = head * a.tokens + first + block + i, own = a.causal ? block + i + 1 : keys;
      const float* f =
          a.dropout.probability > 0 ? dropout_factors(static_cast<uint64_t>(token) << 20, own, factors) : nullptr;
      const RowSum s = exponentiate(row, own, static_cast<float>(a.scale), f, row);
      clear(row, own, seen);
      inverse[i] = 1.0F / s.sum;
      if (a.lse != nullptr) static_cast<float*>(a.lse)[token] = s.maximum + std::log(s.sum);
    }
    small_product(queries, width, seen, {scores, padded_keys, 1}, values, out_rows, padded, false);
    for (int64_t i = 0; i < queries; ++i) {
      T* out = static_cast<T*>(a.out) + ((first + block + i) * a.heads + head) * width;
      const Vector share = hn::Set(F32(), inverse[i]);
      each_vector(width, [&](int64_t c, int64_t n)
                             SUANLI_INLINE { store(hn::Mul(load(out_rows + i * padded + c), share), out + c, n); });
    }
  }
}

void attention_forward_task(const AttentionForward& a, int64_t sequence, int64_t head, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? forward_as<float>(a, sequence, head, begin, end)
                        : forward_as<bfloat16>(a, sequence, head, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/cpu/add.h"
#include "kernels/cpu/attention_tasks.h"

namespace suanli::kernels {
HWY_EXPORT(attention_forward_task);

namespace {
void run_forward(const AttentionForward& a, Stream&) {
  const bool small = a.tokens * a.longest * a.heads * a.head_size < (1 << 18);
  each_query_range(a, small, [&](int64_t sequence, int64_t head, int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(attention_forward_task)(a, sequence, head, begin, end);
  });
}
}  // namespace

void add_attention_forward() {
  attention_forward.add({"simd", DeviceType::cpu,
                         [](const AttentionForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                         run_forward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
