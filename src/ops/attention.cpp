#include "ops/attention.h"

#include <cmath>

#include "autograd/tape.h"
#include "kernels/attention.h"
#include "ops/check.h"
#include "ops/dropout.h"

namespace suanli::ops {

namespace {

/// The three parts of a [T, 3 W] tensor: row t of part i starts at element t * 3 W + i * W.
void* part(const Tensor& qkv, int i) {
  return static_cast<std::byte*>(qkv.data()) + i * (qkv.dim(1) / 3) * size_of(qkv.dtype());
}

}  // namespace

Tensor attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, const DropoutKey& key, bool causal) {
  check_tensor("attention", "qkv", qkv, 2, kFloating);
  if (heads < 1 || qkv.dim(1) % (3 * heads) != 0) {
    throw UserError("attention",
                    "expected qkv [T, 3 A D] for " + std::to_string(heads) + " heads, got " + qkv.shape().text());
  }
  check_dropout("attention", key);
  const auto [longest, squares] = check_offsets("attention", offsets, qkv.dim(0));
  if (longest >= int64_t{1} << 20) {
    throw UserError("attention", "expected sequences under 2^20 tokens, got " + std::to_string(longest));
  }
  const int64_t tokens = qkv.dim(0), width = qkv.dim(1) / 3, head_size = width / heads;
  const double pairs = causal ? (squares + static_cast<double>(tokens)) / 2 : squares;  // sum of n (n + 1) / 2
  const double factor = 1.0 / std::sqrt(static_cast<double>(head_size));
  const Tensor on_device = beside(qkv, offsets);

  Tensor out = Tensor::empty({tokens, width}, qkv.dtype(), qkv.device());
  Tensor lse;
  if (wants_gradient(qkv)) lse = Tensor::empty({heads, tokens}, accumulation_dtype(qkv.dtype()), qkv.device());
  kernels::attention_forward({.q = part(qkv, 0),
                              .k = part(qkv, 1),
                              .v = part(qkv, 2),
                              .offsets = static_cast<const int32_t*>(on_device.data()),
                              .out = out.data(),
                              .lse = lse.defined() ? lse.data() : nullptr,
                              .tokens = tokens,
                              .sequences = offsets.dim(0) - 1,
                              .longest = longest,
                              .heads = heads,
                              .head_size = head_size,
                              .stride = 3 * width,
                              .scale = factor,
                              .dropout = key,
                              .dtype = qkv.dtype(),
                              .causal = causal,
                              .pairs = pairs},
                             stream_of(qkv));
  record("attention", out, {qkv},
         [qkv = detach(qkv), out = detach(out), lse, on_device, heads, head_size, longest = longest, pairs, factor, key,
          causal](const Tensor& dy) {
           Tensor dqkv = Tensor::empty(qkv.shape(), qkv.dtype(), qkv.device());
           kernels::attention_backward({.dout = dy.data(),
                                        .out = out.data(),
                                        .lse = lse.data(),
                                        .q = part(qkv, 0),
                                        .k = part(qkv, 1),
                                        .v = part(qkv, 2),
                                        .offsets = static_cast<const int32_t*>(on_device.data()),
                                        .dq = part(dqkv, 0),
                                        .dk = part(dqkv, 1),
                                        .dv = part(dqkv, 2),
                                        .tokens = qkv.dim(0),
                                        .sequences = on_device.dim(0) - 1,
                                        .longest = longest,
                                        .heads = heads,
                                        .head_size = head_size,
                                        .stride = qkv.dim(1),
                                        .scale = factor,
                                        .dropout = key,
                                        .dtype = qkv.dtype(),
                                        .causal = causal,
                                        .pairs = pairs},
                                       stream_of(qkv));
           return std::vector<Tensor>{dqkv};
         });
  return out;
}

}  // namespace suanli::ops
