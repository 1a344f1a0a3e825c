#include "nn/images.h"

#include <algorithm>
#include <cmath>

namespace suanli::nn {

Initializer kaiming_normal(int64_t fan) {
  return normal(std::sqrt(2.0 / static_cast<double>(std::max<int64_t>(fan, 1))));
}

Conv2d::Conv2d(ParameterScope scope, int64_t in, int64_t out, const Options& options)
    : window_(options.window), same_padding_(options.same_padding) {
  const int64_t inputs = in / window_.groups, fan = inputs * options.kernel * options.kernel;
  weight_ = scope.get("weight", {out, options.kernel, options.kernel, inputs},
                      options.weight ? options.weight : within_root(fan));
  if (options.bias) bias_ = scope.get("bias", {out}, options.bias_values ? options.bias_values : within_root(fan));
}

Tensor Conv2d::operator()(const Tensor& x) const {
  const ops::Pair kernel = {weight_.dim(1), weight_.dim(2)};
  return ops::conv2d(x, weight_, bias_, same_padding_ ? ops::same_padding(x, kernel, window_) : window_);
}

ConvTranspose2d::ConvTranspose2d(ParameterScope scope, int64_t in, int64_t out, int64_t kernel)
    : weight_(scope.get("weight", {in, kernel, kernel, out}, within_root(out * kernel * kernel))),
      bias_(scope.get("bias", {out}, within_root(out * kernel * kernel))) {}

Tensor ConvTranspose2d::operator()(const Tensor& x) const {
  return ops::conv_transpose2d(x, weight_, bias_, {.stride = {weight_.dim(1), weight_.dim(2)}});
}

BatchNorm2d::BatchNorm2d(ParameterScope scope, int64_t channels, double eps, double momentum)
    : weight_(scope.get("weight", {channels}, ones())),
      bias_(scope.get("bias", {channels}, zeros())),
      running_{scope.buffer("running_mean", {channels}, zeros()), scope.buffer("running_var", {channels}, ones())},
      eps_(eps),
      momentum_(momentum) {}

Tensor BatchNorm2d::operator()(const Tensor& x, const Mode& mode) const {
  return ops::batch_norm(x, running_, weight_, bias_, options(mode));
}

Tensor BatchNorm2d::relu(const Tensor& x, const Mode& mode) const {
  return ops::batch_norm_relu(x, running_, weight_, bias_, options(mode));
}

}  // namespace suanli::nn
