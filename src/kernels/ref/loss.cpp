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

void run(const SoftCrossEntropyForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    double loss = 0;
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.vocab;
      const C* q = in<C>(args.targets) + t * args.vocab;
      C largest = -std::numeric_limits<C>::infinity(), total = 0, row = 0;
      for (int64_t v = 0; v < args.vocab; ++v) largest = std::max(largest, static_cast<C>(x[v]));
      for (int64_t v = 0; v < args.vocab; ++v) total += std::exp(static_cast<C>(x[v]) - largest);
      const C lse = largest + std::log(total);
      out<C>(args.lse)[t] = lse;
      for (int64_t v = 0; v < args.vocab; ++v) {
        if (q[v] != 0) row += q[v] * (lse - static_cast<C>(x[v]));  // not 0 * infinity
      }
      loss += static_cast<double>(row);
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const SoftCrossEntropyBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C weight = *in<C>(args.dloss) * static_cast<C>(args.scale);
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.vocab;
      const C* q = in<C>(args.targets) + t * args.vocab;
      T* dx = out<T>(args.dlogits) + t * args.vocab;
      C mass = 0;
      for (int64_t v = 0; v < args.vocab; ++v) mass += q[v];
      for (int64_t v = 0; v < args.vocab; ++v) {
        dx[v] = static_cast<T>(weight * (std::exp(static_cast<C>(x[v]) - in<C>(args.lse)[t]) * mass - q[v]));
      }
    }
  });
}

namespace {

template <class C>
C loss_of(const PointwiseLossForward& args, C x, C target) {
  const C size = std::abs(x - target), beta = static_cast<C>(args.beta);
  if (args.kind == PointwiseLoss::mse) return size * size;
  if (args.kind == PointwiseLoss::l1) return size;
  if (args.kind == PointwiseLoss::smooth_l1) return size < beta ? size * size / (2 * beta) : size - beta / 2;
  return (x < 0 ? 0 : x) - x * target + std::log1p(std::exp(-std::abs(x)));
}

template <class C>
C slope_of(const PointwiseLossBackward& args, C x, C target) {
  const C d = x - target;
  if (args.kind == PointwiseLoss::mse) return 2 * d;
  if (args.kind == PointwiseLoss::l1) return d > 0 ? C{1} : d < 0 ? C{-1} : d;  // NaN stays
  if (args.kind == PointwiseLoss::smooth_l1) return d / std::max(std::abs(d), static_cast<C>(args.beta));
  return 1 / (1 + std::exp(-x)) - target;
}

}  // namespace

void run(const PointwiseLossForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    double loss = 0;
    for (int64_t i = 0; i < args.count; ++i) {
      loss += static_cast<double>(loss_of(args, static_cast<C>(in<T>(args.x)[i]), in<C>(args.target)[i]));
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const PointwiseLossBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C weight = *in<C>(args.dloss) * static_cast<C>(args.scale);
    for (int64_t i = 0; i < args.count; ++i) {
      const C slope = slope_of(args, static_cast<C>(in<T>(args.x)[i]), in<C>(args.target)[i]);
      out<T>(args.dx)[i] = static_cast<T>(weight * slope);
    }
  });
}

}  // namespace suanli::kernels::ref
