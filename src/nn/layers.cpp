#include "nn/layers.h"

#include <cmath>

#include "ops/arithmetic.h"
#include "ops/embedding.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/rms_norm.h"

namespace suanli::nn {

ops::Activation activation_named(const std::string& name) {
  if (name == "gelu") return ops::Activation::gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return ops::Activation::gelu_tanh;
  if (name == "relu") return ops::Activation::relu;
  if (name == "tanh") return ops::Activation::tanh;
  throw UserError("activation", "expected gelu, gelu_new, gelu_pytorch_tanh, relu or tanh, got \"" + name + "\"");
}

Linear::Linear(ParameterScope scope, int64_t in, int64_t out)
    : Linear(scope, in, out, within_root(in), within_root(in)) {}

Linear::Linear(ParameterScope scope, int64_t in, int64_t out, const Initializer& weight, const Initializer& bias)
    : quantized_(scope.get_quantized("weight", {out, in}, weight)),
      weight_(quantized_.defined() ? Tensor() : scope.get("weight", {out, in}, weight)),
      bias_(bias == nullptr ? Tensor() : scope.get("bias", {out}, bias)) {
  const LoraOptions options = scope.lora("weight", out);
  if (!options.rows.empty()) lora_.emplace(scope, in, out, options);
}

Tensor Linear::operator()(const Tensor& x, const Mode& mode) const {
  const Tensor y = quantized_.defined() ? ops::quantized_linear(x, quantized_, bias_) : ops::linear(x, weight_, bias_);
  return lora_ ? ops::add(y, (*lora_)(x, mode)) : y;
}

Tensor feed_forward(const Tensor& x, const Linear& up, ops::Activation f, const Linear& down, const Mode& mode) {
  if (up.lora_ || down.lora_) return down(ops::activate(f, up(x, mode)), mode);
  if (up.quantized_.defined()) return down(ops::quantized_linear(x, up.quantized_, up.bias_, f));
  return ops::feed_forward(x, {up.weight_, up.bias_}, f, {down.weight_, down.bias_});
}

Embedding::Embedding(ParameterScope scope, int64_t count, int64_t width, const Initializer& weight)
    : weight_(scope.get("weight", {count, width}, weight)) {}

Tensor Embedding::operator()(const Tensor& ids, DType dtype, int64_t first) const {
  return ops::embedding(weight_, ids, dtype, first);
}

LayerNorm::LayerNorm(ParameterScope scope, int64_t width, double eps)
    : weight_(scope.get("weight", {width}, ones())), bias_(scope.get("bias", {width}, zeros())), eps_(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return ops::layer_norm(x, weight_, bias_, eps_); }

Tensor LayerNorm::operator()(const Tensor& x, const Tensor& residual, const ops::DropoutKey& key) const {
  return ops::dropout_add_layer_norm(x, residual, weight_, bias_, eps_, key);
}

RmsNorm::RmsNorm(ParameterScope scope, int64_t width, double eps)
    : weight_(scope.get("weight", {width}, ones())), eps_(eps) {}

Tensor RmsNorm::operator()(const Tensor& x) const { return ops::rms_norm(x, weight_, eps_); }

Mlp::Mlp(ParameterScope scope, int64_t in, int64_t hidden, int64_t out, ops::Activation activation)
    : up_(scope / "up", in, hidden), down_(scope / "down", hidden, out), activation_(activation) {}

Tensor Mlp::operator()(const Tensor& x) const { return feed_forward(x, up_, activation_, down_); }

}  // namespace suanli::nn
