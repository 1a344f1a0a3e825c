#include <algorithm>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {
/// Calls f(element of y, element of x, weight) for all samples of all boxes.
template <class C, class Args, class F>
void each_sample(const Args& args, const F& f) {
  const RoiAlignSizes& s = args.sizes;
  for (int64_t o = 0; o < s.boxes * s.out_height * s.out_width; ++o) {
    const int64_t n = o / s.out_width / s.out_height, i = o / s.out_width % s.out_height, j = o % s.out_width;
    const C* box = in<C>(args.boxes) + n * 4;
    const RoiAxis v = s.vertical(box), h = s.horizontal(box);
    const int64_t image = args.image_of[n];
    for (int64_t sample = 0; sample < v.samples * h.samples; ++sample) {
      const RoiAxis::Place y = v.place(i, sample / h.samples), x = h.place(j, sample % h.samples);
      if (!y.inside || !x.inside) continue;
      const auto add = [&](int64_t row, int64_t column, double weight) {
        for (int64_t c = 0; c < s.channels; ++c) {
          f(o * s.channels + c, ((image * s.height + row) * s.width + column) * s.channels + c,
            static_cast<C>(weight * RoiAlignSizes::share(v, h)));
        }
      };
      add(y.low, x.low, (1 - y.share) * (1 - x.share));
      add(y.low, x.high, (1 - y.share) * x.share);
      add(y.high, x.low, y.share * (1 - x.share));
      add(y.high, x.high, y.share * x.share);
    }
  }
}
}  // namespace

void run(const RoiAlignForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const RoiAlignSizes& s = args.sizes;
    std::vector<C> sums(static_cast<size_t>(s.boxes * s.out_height * s.out_width * s.channels));
    each_sample<C>(args, [&](int64_t to, int64_t from, C weight) {
      sums[static_cast<size_t>(to)] += weight * static_cast<C>(in<T>(args.x)[from]);
    });
    std::ranges::transform(sums, out<T>(args.y), [](C sum) { return static_cast<T>(sum); });
  });
}

void run(const RoiAlignBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const RoiAlignSizes& s = args.sizes;
    std::vector<C> sums(static_cast<size_t>(s.images * s.height * s.width * s.channels));
    each_sample<C>(args, [&](int64_t from, int64_t to, C weight) {
      sums[static_cast<size_t>(to)] += weight * static_cast<C>(in<T>(args.dy)[from]);
    });
    std::ranges::transform(sums, out<T>(args.dx), [](C sum) { return static_cast<T>(sum); });
  });
}

}  // namespace suanli::kernels::ref
