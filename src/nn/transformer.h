/// The transformer encoder layer of BERT (Vaswani et al. 2017; Devlin et al. 2019), normalisation after each sublayer.
#pragma once

#include "nn/layers.h"

namespace suanli::nn {

struct EncoderLayerOptions {
  int64_t hidden = 0, heads = 0, intermediate = 0;
  double norm_eps = 1e-12;
  float dropout = 0, attention_dropout = 0;
  double initializer_range = 0.02;  ///< standard deviation of new weights
  ops::Activation activation = ops::Activation::gelu;
};

/// Self-attention: one product for queries, keys and values (parameter qkv.weight [3H, H]), then output.
class SelfAttention {
 public:
  SelfAttention(ParameterScope scope, const EncoderLayerOptions& options);
  /// x [T,H], offsets [B+1] i32 -> [T,H], before dropout and residual.
  Tensor operator()(const Tensor& x, const Tensor& offsets, const Mode& mode) const;

 private:
  int64_t heads_;
  Dropout dropout_;
  Linear qkv_, output_;
};

/// x1 = norm(x + dropout(attention(x)));  y = norm(x1 + dropout(down(activation(up(x1))))).
class EncoderLayer {
 public:
  EncoderLayer(ParameterScope scope, const EncoderLayerOptions& options);
  /// x [T,H], offsets [B+1] i32 -> [T,H].
  Tensor operator()(const Tensor& x, const Tensor& offsets, const Mode& mode) const;

 private:
  SelfAttention attention_;
  LayerNorm attention_norm_;
  Linear up_, down_;
  LayerNorm output_norm_;
  Dropout attention_dropout_, output_dropout_;
  ops::Activation activation_;
};

}  // namespace suanli::nn
