#include <cmath>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

/// Optimizer state is f32, or f64 in references.
template <class F>
void dispatch_full(DType dtype, F&& f) {
  dtype == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace

void run(const AdamwStep& args, Stream&) {
  dispatch_full(args.dtype, [&]<class C>() {
    const C b1 = static_cast<C>(args.beta1), b2 = static_cast<C>(args.beta2), eps = static_cast<C>(args.eps);
    const C decay = static_cast<C>(1 - args.learning_rate * args.weight_decay);
    const auto power = static_cast<double>(args.step);
    const C rate = static_cast<C>(args.learning_rate / (1 - std::pow(args.beta1, power)));
    const C correction = static_cast<C>(std::sqrt(1 - std::pow(args.beta2, power)));
    C *w = out<C>(args.weight), *m = out<C>(args.first_moment), *v = out<C>(args.second_moment);
    for (int64_t i = 0; i < args.count; ++i) {
      const C g = static_cast<C>(args.gradient_scale) * in<C>(args.gradient)[i];
      m[i] = b1 * m[i] + static_cast<C>(1 - args.beta1) * g;
      v[i] = b2 * v[i] + static_cast<C>(1 - args.beta2) * g * g;
      w[i] = decay * w[i] - rate * m[i] / (std::sqrt(v[i]) / correction + eps);
    }
  });
}

void run(const SgdStep& args, Stream&) {
  dispatch_full(args.dtype, [&]<class C>() {
    C *w = out<C>(args.weight), *buffer = out<C>(args.buffer);
    for (int64_t i = 0; i < args.count; ++i) {
      C g = static_cast<C>(args.gradient_scale) * in<C>(args.gradient)[i] + static_cast<C>(args.weight_decay) * w[i];
      if (args.momentum != 0) {
        buffer[i] = args.first ? g : static_cast<C>(args.momentum) * buffer[i] + g;
        g = buffer[i];
      }
      w[i] -= static_cast<C>(args.learning_rate) * g;
    }
  });
}

void run(const SumOfSquares& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    double sum = 0;
    for (int64_t i = 0; i < args.count; ++i) {
      const auto x = static_cast<double>(static_cast<Compute<T>>(in<T>(args.x)[i]));
      sum += x * x;
    }
    *args.result = sum;
  });
}

}  // namespace suanli::kernels::ref
