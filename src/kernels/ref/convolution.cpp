#include <algorithm>
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

namespace {

/// Calls f(place in x, place in weight, place in y) for every product of a convolution.
template <class F>
void each_product(const ConvolutionShape& shape, const F& f) {
  const Windows& w = shape.windows;
  const int64_t of_group = shape.outputs / std::max<int64_t>(shape.groups, 1);
  each_tap(w, [&](int64_t position, int64_t tap, int64_t pixel) {
    for (int64_t o = 0; o < shape.outputs; ++o) {
      const int64_t first = o / of_group * w.channels;  // channel of the output's group
      for (int64_t i = 0; i < w.channels; ++i) {
        f(pixel * shape.inputs() + first + i, (o * w.taps() + tap) * w.channels + i, position * shape.outputs + o);
      }
    }
  });
}

template <class T>
Compute<T> product(const void* a, int64_t i, const void* b, int64_t j) {
  return static_cast<Compute<T>>(in<T>(a)[i]) * static_cast<Compute<T>>(in<T>(b)[j]);
}

/// Rows of sums and a bias, rounded once.
template <class T>
void store_sums(const std::vector<Compute<T>>& sums, const void* bias, int64_t width, void* y) {
  for (size_t i = 0; i < sums.size(); ++i) {
    const Compute<T> shift = bias == nullptr ? 0 : in<Compute<T>>(bias)[static_cast<int64_t>(i) % width];
    out<T>(y)[i] = static_cast<T>(sums[i] + shift);
  }
}

}  // namespace

void run(const ConvolutionForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    std::vector<Compute<T>> sums(static_cast<size_t>(args.shape.y_elements()));
    each_product(args.shape, [&](int64_t x, int64_t weight, int64_t y) {
      sums[static_cast<size_t>(y)] += product<T>(args.x, x, args.weight, weight);
    });
    store_sums<T>(sums, args.bias, args.shape.outputs, args.y);
  });
}

void run(const ConvolutionBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    std::vector<Compute<T>> sums(static_cast<size_t>(args.shape.x_elements()));
    each_product(args.shape, [&](int64_t x, int64_t weight, int64_t y) {
      sums[static_cast<size_t>(x)] += product<T>(args.dy, y, args.weight, weight);
    });
    store_sums<T>(sums, args.bias, args.shape.inputs(), args.dx);
  });
}

void run(const ConvolutionWeight& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    auto* dweight = out<Compute<T>>(args.dweight);
    std::fill_n(dweight, args.shape.weight_elements(), 0);
    each_product(args.shape,
                 [&](int64_t x, int64_t weight, int64_t y) { dweight[weight] += product<T>(args.dy, y, args.x, x); });
  });
}

}  // namespace suanli::kernels::ref
