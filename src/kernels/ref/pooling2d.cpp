#include <cmath>
#include <limits>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/each_tap.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {
/// How many taps the mean of each window divides by.
template <class C>
C divisor(const Windows& w, int64_t position, bool count_padding) {
  const int64_t x = position % w.horizontal.out, y = position / w.horizontal.out % w.vertical.out;
  return static_cast<C>(counted_taps(w.vertical, y, count_padding) * counted_taps(w.horizontal, x, count_padding));
}
}  // namespace

void run(const MaxPoolForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> most(static_cast<size_t>(args.windows.positions() * channels), -std::numeric_limits<C>::infinity());
    std::vector<int32_t> from(most.size(), -1);
    each_tap(args.windows, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        const C x = static_cast<C>(in<T>(args.x)[pixel * channels + c]);
        const auto i = static_cast<size_t>(position * channels + c);
        if (from[i] >= 0 && !(x > most[i] || (std::isnan(x) && !std::isnan(most[i])))) continue;
        most[i] = x;
        from[i] = static_cast<int32_t>(tap);
      }
    });
    for (size_t i = 0; i < most.size(); ++i) {
      out<T>(args.y)[i] = static_cast<T>(most[i]);
      if (args.tap != nullptr) args.tap[i] = from[i];
    }
  });
}

void run(const MaxPoolBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> sums(static_cast<size_t>(args.windows.pixels() * channels));
    each_tap(args.windows, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        if (args.tap[position * channels + c] != tap) continue;
        sums[static_cast<size_t>(pixel * channels + c)] += static_cast<C>(in<T>(args.dy)[position * channels + c]);
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) out<T>(args.dx)[i] = static_cast<T>(sums[i]);
  });
}

void run(const AvgPoolForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> sums(static_cast<size_t>(args.windows.positions() * channels));
    each_tap(args.windows, [&](int64_t position, int64_t, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        sums[static_cast<size_t>(position * channels + c)] += static_cast<C>(in<T>(args.x)[pixel * channels + c]);
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) {
      const int64_t position = static_cast<int64_t>(i) / channels;
      out<T>(args.y)[i] = static_cast<T>(sums[i] / divisor<C>(args.windows, position, args.count_padding));
    }
  });
}

void run(const AvgPoolBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> sums(static_cast<size_t>(args.windows.pixels() * channels));
    each_tap(args.windows, [&](int64_t position, int64_t, int64_t pixel) {
      const C taps = divisor<C>(args.windows, position, args.count_padding);
      for (int64_t c = 0; c < channels; ++c) {
        sums[static_cast<size_t>(pixel * channels + c)] +=
            static_cast<C>(in<T>(args.dy)[position * channels + c]) / taps;
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) out<T>(args.dx)[i] = static_cast<T>(sums[i]);
  });
}

}  // namespace suanli::kernels::ref
