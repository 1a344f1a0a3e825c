/// The layers that models are made of: parameters with the op that uses them.
#pragma once

#include <optional>

#include "nn/lora.h"
#include "ops/feed_forward.h"

namespace suanli::nn {

/// Names an activation as Hugging Face's config.json does: "gelu", "gelu_new" or "gelu_pytorch_tanh", "relu", "tanh".
/// Throws UserError for another name.
ops::Activation activation_named(const std::string& name);

/// y = x weight^T + bias; parameters weight [out, in], bias [out]. The weight is a float tensor or held in 8 bits, as
/// the options of the parameters say, and so is whether it has adapters (nn/lora.h).
class Linear {
 public:
  /// PyTorch's default initialiser: uniform within 1 / sqrt(in).
  Linear(ParameterScope scope, int64_t in, int64_t out);
  /// `bias` null: none.
  Linear(ParameterScope scope, int64_t in, int64_t out, const Initializer& weight, const Initializer& bias);
  /// x [T, in] -> [T, out]. `mode`: of the adapters' dropout.
  Tensor operator()(const Tensor& x, const Mode& mode = {}) const;

 private:
  friend Tensor feed_forward(const Tensor& x, const Linear& up, ops::Activation f, const Linear& down,
                             const Mode& mode);
  ops::QuantizedWeight quantized_;
  Tensor weight_;  // undefined when quantized
  Tensor bias_;    // undefined: none
  std::optional<Lora> lora_;
};

/// down(f(up(x))) with f within the first product: x [T, in of up] -> [T, out of down].
Tensor feed_forward(const Tensor& x, const Linear& up, ops::Activation f, const Linear& down, const Mode& mode = {});

/// Rows of a table; parameter weight [count, width].
class Embedding {
 public:
  Embedding(ParameterScope scope, int64_t count, int64_t width, const Initializer& weight);
  /// ids [T] i32, counted from row `first` -> [T, width] in `dtype`.
  Tensor operator()(const Tensor& ids, DType dtype, int64_t first = 0) const;
  const Tensor& weight() const { return weight_; }

 private:
  Tensor weight_;
};

/// Layer normalisation; parameters weight, bias [width], 1 and 0 at first.
class LayerNorm {
 public:
  LayerNorm(ParameterScope scope, int64_t width, double eps);
  /// x [T, width] -> [T, width].
  Tensor operator()(const Tensor& x) const;
  /// norm(residual + dropout(x)) in one pass.
  Tensor operator()(const Tensor& x, const Tensor& residual, const ops::DropoutKey& key) const;

 private:
  Tensor weight_, bias_;
  double eps_;
};

/// Normalisation by the root of the mean square; parameter weight [width], 1 at first.
class RmsNorm {
 public:
  RmsNorm(ParameterScope scope, int64_t width, double eps);
  /// x [T, width] -> [T, width].
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;
  double eps_;
};

/// Two linear layers with an activation between them.
class Mlp {
 public:
  Mlp(ParameterScope scope, int64_t in, int64_t hidden, int64_t out, ops::Activation activation);
  /// x [T, in] -> [T, out].
  Tensor operator()(const Tensor& x) const;

 private:
  Linear up_, down_;
  ops::Activation activation_;
};

}  // namespace suanli::nn
