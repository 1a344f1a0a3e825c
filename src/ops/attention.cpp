#include "ops/attention.h"

#include <cmath>

#include "autograd/tape.h"
#include "kernels/attention.h"
#include "ops/check.h"
#include "ops/dropout.h"

namespace suanli::ops {

PackedHeads::PackedHeads(const char* op, const Tensor& qkv, int64_t query_heads, int64_t heads_of_keys)
    : heads(query_heads), key_heads(heads_of_keys == 0 ? query_heads : heads_of_keys), head_size(0) {
  check_tensor(op, "qkv", qkv, 2, kFloating);
  if (heads < 1 || key_heads < 1 || heads % key_heads != 0 || qkv.dim(1) % (heads + 2 * key_heads) != 0) {
    throw UserError(op, "expected qkv [T, (A + 2 G) D] for " + std::to_string(heads) + " heads and " +
                            std::to_string(key_heads) + " of keys, which divide them, got " + qkv.shape().text());
  }
  head_size = qkv.dim(1) / (heads + 2 * key_heads);
}

void* PackedHeads::column(const Tensor& qkv, int64_t column) {
  return static_cast<std::byte*>(qkv.data()) + column * size_of(qkv.dtype());
}

Tensor attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, const DropoutKey& key, bool causal,
                 int64_t key_heads) {
  const PackedHeads parts("attention", qkv, heads, key_heads);
  check_dropout("attention", key);
  const auto [longest, squares] = check_offsets("attention", offsets, qkv.dim(0));
  if (longest >= int64_t{1} << 20) {
    throw UserError("attention", "expected sequences under 2^20 tokens, got " + std::to_string(longest));
  }
  const int64_t tokens = qkv.dim(0), head_size = parts.head_size, width = heads * head_size;
  const double pairs = causal ? (squares + static_cast<double>(tokens)) / 2 : squares;  // sum of n (n + 1) / 2
  const double factor = 1.0 / std::sqrt(static_cast<double>(head_size));
  const Tensor on_device = beside(qkv, offsets);

  Tensor out = Tensor::empty({tokens, width}, qkv.dtype(), qkv.device());
  Tensor lse;
  if (wants_gradient(qkv)) lse = Tensor::empty({heads, tokens}, accumulation_dtype(qkv.dtype()), qkv.device());
  kernels::attention_forward({.q = parts.queries(qkv),
                              .k = parts.keys(qkv),
                              .v = parts.values(qkv),
                              .offsets = static_cast<const int32_t*>(on_device.data()),
                              .out = out.data(),
                              .lse = lse.defined() ? lse.data() : nullptr,
                              .tokens = tokens,
                              .sequences = offsets.dim(0) - 1,
                              .longest = longest,
                              .heads = heads,
                              .head_size = head_size,
                              .stride = qkv.dim(1),
                              .scale = factor,
                              .dropout = key,
                              .dtype = qkv.dtype(),
                              .causal = causal,
                              .group = parts.group(),
                              .pairs = pairs},
                             stream_of(qkv));
  record("attention", out, {qkv},
         [qkv = detach(qkv), out = detach(out), lse, on_device, parts, longest = longest, pairs, factor, key,
          causal](const Tensor& dy) {
           Tensor dqkv = Tensor::empty(qkv.shape(), qkv.dtype(), qkv.device());
           kernels::attention_backward({.dout = dy.data(),
                                        .out = out.data(),
                                        .lse = lse.data(),
                                        .q = parts.queries(qkv),
                                        .k = parts.keys(qkv),
                                        .v = parts.values(qkv),
                                        .offsets = static_cast<const int32_t*>(on_device.data()),
                                        .dq = parts.queries(dqkv),
                                        .dk = parts.keys(dqkv),
                                        .dv = parts.values(dqkv),
                                        .tokens = qkv.dim(0),
                                        .sequences = on_device.dim(0) - 1,
                                        .longest = longest,
                                        .heads = parts.heads,
                                        .head_size = parts.head_size,
                                        .stride = qkv.dim(1),
                                        .scale = factor,
                                        .dropout = key,
                                        .dtype = qkv.dtype(),
                                        .causal = causal,
                                        .group = parts.group(),
                                        .pairs = pairs},
                                       stream_of(qkv));
           return std::vector<Tensor>{dqkv};
         });
  return out;
}

}  // namespace suanli::ops
