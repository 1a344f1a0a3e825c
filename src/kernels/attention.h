/// Scaled dot-product attention over packed sequences (Vaswani et al. 2017; flash attention, Dao et al. 2022).
#pragma once

#include "kernels/dropout_key.h"
#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// For sequence b (rows offsets[b] .. offsets[b+1]), head a and query row i of it:
///   s[j] = scale * q_i . k_j;  lse = log sum_j exp s[j];  p[j] = exp(s[j] - lse);  out_i = sum_j f(j) p[j] v_j
/// with f(j) the dropout factor of element (a * T + t_i) * 2^20 + j, t_i the packed row of the query and j the key's
/// place in its sequence (longest < 2^20). With `causal` key j takes part for query i iff j <= i, else every key. Row t
/// of head a starts at q + t * stride + a * head_size elements, and at a / group instead of a in k and v: `group` query
/// heads share one of keys and values (Ainslie et al. 2023). out [T, heads * head_size] of `dtype`; lse [heads, T] f32
/// (f64 for f64), null: not kept. Softmax and sums in f32 (f64). A sequence of length 0 has no rows.
struct AttentionForward {
  const void *q, *k, *v;
  const int32_t* offsets;
  void *out, *lse;
  int64_t tokens, sequences, longest, heads, head_size, stride;
  double scale;
  DropoutKey dropout;
  DType dtype;
  bool causal = false;
  int64_t group = 1;  ///< divides heads
  double pairs = 0;   ///< of queries and keys that take part, for work_of; 0: offsets are on the host and say it
};
inline Kernel<AttentionForward> attention_forward{"attention.forward"};
Work work_of(const AttentionForward& args);

/// With dp[j] = f(j) dout_i . v_j, delta_i = dout_i . out_i, ds[j] = p[j] (dp[j] - delta_i):
///   dv_j = sum_i f(j) p[j] dout_i;  dq_i = scale sum_j ds[j] k_j;  dk_j = scale sum_i ds[j] q_i.
/// p is recomputed from lse. dq, dk, dv have the layout and stride of q, k, v and are overwritten; dk and dv of a group
/// are the sums over its heads.
struct AttentionBackward {
  const void *dout, *out, *lse, *q, *k, *v;
  const int32_t* offsets;
  void *dq, *dk, *dv;
  int64_t tokens, sequences, longest, heads, head_size, stride;
  double scale;
  DropoutKey dropout;
  DType dtype;
  bool causal = false;
  int64_t group = 1;  ///< divides heads
  double pairs = 0;   ///< of queries and keys that take part, for work_of; 0: offsets are on the host and say it
};
inline Kernel<AttentionBackward> attention_backward{"attention.backward"};
Work work_of(const AttentionBackward& args);

}  // namespace suanli::kernels
