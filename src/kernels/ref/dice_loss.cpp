#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const DiceLossForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    double loss = 0;
    for (int64_t i = 0; i < args.pictures * args.pixels; ++i) {
      const T* x = in<T>(args.logits) + i * args.classes;
      C largest = -std::numeric_limits<C>::infinity(), total = 0;
      for (int64_t c = 0; c < args.classes; ++c) largest = std::max(largest, static_cast<C>(x[c]));
      for (int64_t c = 0; c < args.classes; ++c) total += std::exp(static_cast<C>(x[c]) - largest);
      out<C>(args.lse)[i] = largest + std::log(total);
    }
    for (int64_t b = 0; b < args.pictures; ++b) {
      for (int64_t c = 0; c < args.classes; ++c) {
        double counted = 0, common = 0, predicted = 0, true_pixels = 0;
        for (int64_t i = b * args.pixels; i < (b + 1) * args.pixels; ++i) {
          if (args.labels[i] == args.ignore) continue;
          const C x = static_cast<C>(in<T>(args.logits)[i * args.classes + c]);
          const auto p = static_cast<double>(std::exp(x - in<C>(args.lse)[i]));
          counted += 1;
          predicted += p;
          if (args.labels[i] == c) common += p, true_pixels += 1;
        }
        const double overlap = 2 * common + args.smooth, sum = predicted + true_pixels + args.smooth;
        const double weight = counted / static_cast<double>(args.classes);
        out<C>(args.all)[b * args.classes + c] = static_cast<C>(weight * overlap / (sum * sum));
        out<C>(args.own)[b * args.classes + c] = static_cast<C>(2 * weight / sum);
        loss += weight * (1 - overlap / sum);
      }
    }
    *out<C>(args.loss) = static_cast<C>(args.scale * loss);
  });
}

void run(const DiceLossBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C weight = *in<C>(args.dloss) * static_cast<C>(args.scale);
    for (int64_t i = 0; i < args.pictures * args.pixels; ++i) {
      const T* x = in<T>(args.logits) + i * args.classes;
      T* dx = out<T>(args.dlogits) + i * args.classes;
      const C* all = in<C>(args.all) + i / args.pixels * args.classes;
      const C* own = in<C>(args.own) + i / args.pixels * args.classes;
      const int32_t label = args.labels[i];
      if (label == args.ignore) {
        std::fill_n(dx, args.classes, static_cast<T>(C{0}));
        continue;
      }
      const auto p = [&](int64_t c) { return std::exp(static_cast<C>(x[c]) - in<C>(args.lse)[i]); };
      const auto slope = [&](int64_t c) { return c == label ? all[c] - own[c] : all[c]; };
      C mean = 0;
      for (int64_t c = 0; c < args.classes; ++c) mean += p(c) * slope(c);
      for (int64_t c = 0; c < args.classes; ++c) dx[c] = static_cast<T>(weight * p(c) * (slope(c) - mean));
    }
  });
}

}  // namespace suanli::kernels::ref
