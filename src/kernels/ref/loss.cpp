#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const CrossEntropyForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    double loss = 0;
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.vocab;
      C largest = -std::numeric_limits<C>::infinity(), total = 0, sum = 0;
      for (int64_t v = 0; v < args.vocab; ++v) largest = std::max(largest, static_cast<C>(x[v]));
      for (int64_t v = 0; v < args.vocab; ++v) {
        total += std::exp(static_cast<C>(x[v]) - largest);
        sum += static_cast<C>(x[v]);
      }
      const C lse = largest + std::log(total);
      out<C>(args.lse)[t] = lse;
      if (args.labels[t] == args.ignore) continue;
      const C e = static_cast<C>(args.smoothing);
      C row = (1 - e) * (lse - static_cast<C>(x[args.labels[t]]));
      if (e > 0) row += e * (lse - sum / static_cast<C>(args.vocab));  // not 0 * infinity where a logit is -infinity
      loss += static_cast<double>(row);
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const CrossEntropyBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C weight = *in<C>(args.dloss) * static_cast<C>(args.scale), e = static_cast<C>(args.smoothing);
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.vocab;
      T* dx = out<T>(args.dlogits) + t * args.vocab;
      for (int64_t v = 0; v < args.vocab; ++v) {
        C value = std::exp(static_cast<C>(x[v]) - in<C>(args.lse)[t]) - e / static_cast<C>(args.vocab);
        if (v == args.labels[t]) value -= 1 - e;
        dx[v] = static_cast<T>(args.labels[t] == args.ignore ? C{0} : weight * value);
      }
    }
  });
}

void run(const PointwiseLossForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    double loss = 0;
    for (int64_t i = 0; i < args.count; ++i) {
      const C x = static_cast<C>(in<T>(args.x)[i]), target = in<C>(args.target)[i];
      const C value = args.kind == PointwiseLoss::mse
                          ? (x - target) * (x - target)
                          : (x < 0 ? 0 : x) - x * target + std::log1p(std::exp(-std::abs(x)));
      loss += static_cast<double>(value);
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const PointwiseLossBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C weight = *in<C>(args.dloss) * static_cast<C>(args.scale);
    for (int64_t i = 0; i < args.count; ++i) {
      const C x = static_cast<C>(in<T>(args.x)[i]), target = in<C>(args.target)[i];
      const C slope = args.kind == PointwiseLoss::mse ? 2 * (x - target) : 1 / (1 + std::exp(-x)) - target;
      out<T>(args.dx)[i] = static_cast<T>(weight * slope);
    }
  });
}

}  // namespace suanli::kernels::ref
