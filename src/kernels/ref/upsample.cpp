#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {
/// Calls f(out element, in element, weight) for all pairs with a weight.
template <class Args, class F>
void each_weight(const Args& args, const F& f) {
  const ResizeAxis &v = args.vertical, &h = args.horizontal;
  for (int64_t o = 0; o < args.images * v.out * h.out; ++o) {
    const ResizeAxis::Source y = v.source(o / h.out % v.out), x = h.source(o % h.out);
    const int64_t first_row = o / h.out / v.out * v.in;
    for (int64_t c = 0; c < args.channels; ++c) {
      const auto add = [&](int64_t row, int64_t column, double weight) {
        if (weight != 0) {
          f(o * args.channels + c, ((first_row + row) * h.in + column) * args.channels + c, weight);
        }
      };
      add(y.first, x.first, (1 - y.share) * (1 - x.share));
      add(y.first, x.second, (1 - y.share) * x.share);
      add(y.second, x.first, y.share * (1 - x.share));
      add(y.second, x.second, y.share * x.share);
    }
  }
}
}  // namespace

void run(const UpsampleForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    std::vector<C> sums(static_cast<size_t>(args.images * args.vertical.out * args.horizontal.out * args.channels));
    each_weight(args, [&](int64_t o, int64_t i, double weight) {
      sums[static_cast<size_t>(o)] += static_cast<C>(weight) * static_cast<C>(in<T>(args.x)[i]);
    });
    for (size_t i = 0; i < sums.size(); ++i) out<T>(args.y)[i] = static_cast<T>(sums[i]);
  });
}

void run(const UpsampleBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    std::vector<C> sums(static_cast<size_t>(args.images * args.vertical.in * args.horizontal.in * args.channels));
    each_weight(args, [&](int64_t o, int64_t i, double weight) {
      sums[static_cast<size_t>(i)] += static_cast<C>(weight) * static_cast<C>(in<T>(args.dy)[o]);
    });
    for (size_t i = 0; i < sums.size(); ++i) out<T>(args.dx)[i] = static_cast<T>(sums[i]);
  });
}

}  // namespace suanli::kernels::ref
