/// Activations and their derivatives as their definitions say, in f32 or f64; constexpr, so that CUDA's compiler takes
/// them for the device as well.
#pragma once

#include <cmath>
#include <numbers>

#include "kernels/activation.h"

namespace suanli::kernels::ref {

template <class C>
constexpr C kSqrtHalf = std::numbers::sqrt2_v<C> / 2;
template <class C>
constexpr C kSqrt2OverPi = std::numbers::sqrt2_v<C>* std::numbers::inv_sqrtpi_v<C>;

template <class C>
constexpr C sigmoid(C x) {
  return 1 / (1 + std::exp(-x));
}

template <class C>
constexpr C activate(Activation kind, C x) {
  switch (kind) {
    case Activation::gelu:
      return x / 2 * (1 + std::erf(x * kSqrtHalf<C>));
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(kSqrt2OverPi<C> * (x + C(0.044715) * x * x * x)));
    case Activation::relu:
      return x < 0 ? 0 : x;  // written so that NaN stays NaN
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::relu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
  }
  return x;
}

/// dy f'(x). The factors are multiplied in an order in which a large |x| meets the vanishing factor first.
template <class C>
constexpr C activation_gradient(Activation kind, C x, C dy) {
  switch (kind) {
    case Activation::gelu: {  // f' = cdf(x) + x pdf(x), of the standard normal distribution
      const C cdf = (1 + std::erf(x * kSqrtHalf<C>)) / 2;
      const C pdf = std::exp(-x * x / 2) * kSqrt2OverPi<C> / 2;
      return dy * (cdf + x * pdf);
    }
    case Activation::gelu_tanh: {  // f' = (1 + t) / 2 + x/2 (1 - t^2) u',  t = tanh(u)
      const C t = std::tanh(kSqrt2OverPi<C> * (x + C(0.044715) * x * x * x));
      const C slope = kSqrt2OverPi<C> * (1 + 3 * C(0.044715) * x * x);
      return dy * ((1 + t) / 2 + x / 2 * (1 - t * t) * slope);
    }
    case Activation::relu:
      return x <= 0 ? 0 : dy;
    case Activation::tanh: {
      const C t = std::tanh(x);
      return dy * (1 - t * t);
    }
    case Activation::sigmoid: {
      const C s = sigmoid(x);
      return dy * (s * (1 - s));
    }
    case Activation::relu6:
      return x <= 0 || x >= 6 ? 0 : dy;
  }
  return dy;
}

}  // namespace suanli::kernels::ref
