#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const FocalLossForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C gamma = static_cast<C>(args.gamma);
    double loss = 0;
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.classes;
      C largest = -std::numeric_limits<C>::infinity(), total = 0;
      for (int64_t v = 0; v < args.classes; ++v) largest = std::max(largest, static_cast<C>(x[v]));
      for (int64_t v = 0; v < args.classes; ++v) total += std::exp(static_cast<C>(x[v]) - largest);
      const C lse = largest + std::log(total);
      out<C>(args.lse)[t] = lse;
      const int32_t label = args.labels[t];
      const C log_p = static_cast<C>(x[label]) - lse, q = -std::expm1(log_p);
      const C weight = args.weights == nullptr ? C{1} : in<C>(args.weights)[label];
      loss -= static_cast<double>(weight * std::pow(q, gamma) * log_p);
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const FocalLossBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C gamma = static_cast<C>(args.gamma), factor = *in<C>(args.dloss) * static_cast<C>(args.scale);
    for (int64_t t = 0; t < args.rows; ++t) {
      const T* x = in<T>(args.logits) + t * args.classes;
      T* dx = out<T>(args.dlogits) + t * args.classes;
      const int32_t label = args.labels[t];
      const C lse = in<C>(args.lse)[t], log_p = static_cast<C>(x[label]) - lse, q = -std::expm1(log_p);
      const C weight = args.weights == nullptr ? C{1} : in<C>(args.weights)[label];
      const C modulated = q > 0 ? gamma * std::exp(log_p) * log_p * std::pow(q, gamma - 1) : C{0};
      const C slope = factor * weight * (modulated - std::pow(q, gamma));
      for (int64_t v = 0; v < args.classes; ++v) {
        const C p = std::exp(static_cast<C>(x[v]) - lse);
        dx[v] = static_cast<T>(slope * (v == label ? q : -p));
      }
    }
  });
}

}  // namespace suanli::kernels::ref
