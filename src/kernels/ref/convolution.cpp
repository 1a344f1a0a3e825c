#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/each_tap.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const Im2Row& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    const Windows& w = args.windows;
    T* rows = out<T>(args.rows);
    for (int64_t i = 0; i < w.positions() * w.taps() * w.channels; ++i) rows[i] = static_cast<T>(0.0F);
    each_tap(w, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < w.channels; ++c) {
        rows[(position * w.taps() + tap) * w.channels + c] = in<T>(args.x)[pixel * args.pitch + c];
      }
    });
  });
}

void run(const Row2Im& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const Windows& w = args.windows;
    std::vector<C> sums(static_cast<size_t>(w.pixels() * w.channels));
    each_tap(w, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < w.channels; ++c) {
        sums[static_cast<size_t>(pixel * w.channels + c)] +=
            static_cast<C>(in<T>(args.rows)[(position * w.taps() + tap) * w.channels + c]);
      }
    });
    for (int64_t pixel = 0; pixel < w.pixels(); ++pixel) {
      for (int64_t c = 0; c < w.channels; ++c) {
        const C bias = args.bias == nullptr ? C{0} : in<C>(args.bias)[c];
        out<T>(args.y)[pixel * args.pitch + c] =
            static_cast<T>(sums[static_cast<size_t>(pixel * w.channels + c)] + bias);
      }
    }
  });
}

void run(const DepthwiseForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> sums(static_cast<size_t>(args.windows.positions() * channels));
    each_tap(args.windows, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        sums[static_cast<size_t>(position * channels + c)] += static_cast<C>(in<T>(args.x)[pixel * channels + c]) *
                                                              static_cast<C>(in<T>(args.weight)[tap * channels + c]);
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) {
      const C bias = args.bias == nullptr ? C{0} : in<C>(args.bias)[static_cast<int64_t>(i) % channels];
      out<T>(args.y)[i] = static_cast<T>(sums[i] + bias);
    }
  });
}

void run(const DepthwiseBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    std::vector<C> sums(static_cast<size_t>(args.windows.pixels() * channels));
    each_tap(args.windows, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        sums[static_cast<size_t>(pixel * channels + c)] += static_cast<C>(in<T>(args.dy)[position * channels + c]) *
                                                           static_cast<C>(in<T>(args.weight)[tap * channels + c]);
      }
    });
    for (size_t i = 0; i < sums.size(); ++i) out<T>(args.dx)[i] = static_cast<T>(sums[i]);
  });
}

void run(const DepthwiseWeight& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t channels = args.windows.channels;
    for (int64_t i = 0; i < args.windows.taps() * channels; ++i) out<C>(args.dweight)[i] = 0;
    each_tap(args.windows, [&](int64_t position, int64_t tap, int64_t pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        out<C>(args.dweight)[tap * channels + c] += static_cast<C>(in<T>(args.dy)[position * channels + c]) *
                                                    static_cast<C>(in<T>(args.x)[pixel * channels + c]);
      }
    });
  });
}

}  // namespace suanli::kernels::ref
