#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

/// Optimizer state is f32, or f64 in references.
template <class F>
void dispatch_full(DType dtype, F&& f) {
  dtype == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

/// One parameter with weights and gradients of T and state of C.
template <class T, class C>
void step(const AdamwStep& args, const AdamwTensor& tensor) {
  const StepScalars& now = *args.scalars;
  const C b1 = static_cast<C>(args.beta1), b2 = static_cast<C>(args.beta2), eps = static_cast<C>(args.eps);
  const C decay = static_cast<C>(1 - now.learning_rate * tensor.weight_decay);
  const C rate = static_cast<C>(now.rate), correction = static_cast<C>(now.correction);
  const RandomKey key = {args.seed, static_cast<uint32_t>(now.step), tensor.site};
  T* w = out<T>(tensor.weight);
  C *m = out<C>(tensor.first_moment), *v = out<C>(tensor.second_moment);
  for (int64_t i = 0; i < tensor.count; ++i) {
    const C g = static_cast<C>(*args.factor) * static_cast<C>(in<T>(tensor.gradient)[i]);
    m[i] = b1 * m[i] + static_cast<C>(1 - args.beta1) * g;
    v[i] = b2 * v[i] + static_cast<C>(1 - args.beta2) * g * g;
    const C updated = decay * static_cast<C>(w[i]) - rate * m[i] / (std::sqrt(v[i]) / correction + eps);
    if constexpr (std::is_same_v<T, bfloat16>) {
      const uint32_t word = philox(key, static_cast<uint64_t>(i) / 8)[i % 8 / 2];
      w[i].bits = round_stochastically(static_cast<float>(updated), i % 2 == 0 ? word & 0xffff : word >> 16);
    } else {
      w[i] = updated;
    }
  }
}

}  // namespace

void run(const AdamwStep& args, Stream&) {
  if (!std::isfinite(*args.factor)) return;
  dispatch_full(args.dtype, [&]<class C>() {
    for (const AdamwTensor& tensor : args.tensors) {
      tensor.dtype == DType::bf16 ? step<bfloat16, C>(args, tensor) : step<C, C>(args, tensor);
    }
  });
}

void run(const SgdStep& args, Stream&) {
  if (!std::isfinite(*args.factor)) return;
  dispatch_full(args.dtype, [&]<class C>() {
    for (const SgdTensor& tensor : args.tensors) {
      C *w = out<C>(tensor.weight), *buffer = out<C>(tensor.buffer);
      for (int64_t i = 0; i < tensor.count; ++i) {
        C g = static_cast<C>(*args.factor) * in<C>(tensor.gradient)[i] + static_cast<C>(tensor.weight_decay) * w[i];
        if (args.momentum != 0) g = buffer[i] = static_cast<C>(args.momentum) * buffer[i] + g;
        w[i] -= static_cast<C>(args.scalars->learning_rate) * g;
      }
    }
  });
}

void run(const SumsOfSquares& args, Stream&) {
  for (size_t a = 0; a < args.arrays.size(); ++a) {
    const ArrayView& array = args.arrays[a];
    dispatch_floating(array.dtype, [&]<class T>() {
      double sum = 0;
      for (int64_t i = 0; i < array.count; ++i) {
        const auto x = static_cast<double>(static_cast<Compute<T>>(in<T>(array.data)[i]));
        sum += x * x;
      }
      args.sums[a] = sum;
    });
  }
}

void run(const ClippingFactor& args, Stream&) {
  double sum = 0;
  for (int64_t i = 0; i < args.count; ++i) sum += args.squares[i];
  const double unscale = args.scalars->unscale;
  *args.norm = unscale * std::sqrt(sum);
  const bool finite = std::isfinite(*args.norm) && std::all_of(args.losses, args.losses + args.loss_count,
                                                               [](float loss) { return std::isfinite(loss); });
  *args.factor = !finite              ? std::numeric_limits<double>::quiet_NaN()
                 : args.max_norm == 0 ? unscale
                                      : unscale * std::min(1.0, args.max_norm / (*args.norm + 1e-6));
}

}  // namespace suanli::kernels::ref
