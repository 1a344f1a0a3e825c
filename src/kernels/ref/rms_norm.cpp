#include <cmath>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const RmsNormForward& args, Stream&) {
  dispatch_two(args.dtype, args.weight_dtype, [&]<class T, class W>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * args.width;
      T* y = out<T>(args.y) + r * args.width;
      C squares = 0;
      for (int64_t c = 0; c < args.width; ++c) squares += static_cast<C>(x[c]) * static_cast<C>(x[c]);
      const C rstd = 1 / std::sqrt(squares / static_cast<C>(args.width) + static_cast<C>(args.eps));
      for (int64_t c = 0; c < args.width; ++c) {
        y[c] = static_cast<T>(static_cast<C>(x[c]) * rstd * static_cast<C>(in<W>(args.weight)[c]));
      }
      if (args.rstd != nullptr) out<C>(args.rstd)[r] = rstd;
    }
  });
}

void run(const RmsNormBackward& args, Stream&) {
  dispatch_two(args.dtype, args.weight_dtype, [&]<class T, class W>() {
    using C = Compute<T>;
    const auto width = static_cast<size_t>(args.width);
    std::vector<C> n(width), g(width), dweight(width, C{0});
    for (int64_t r = 0; r < args.rows; ++r) {
      const T *dy = in<T>(args.dy) + r * args.width, *x = in<T>(args.x) + r * args.width;
      const C rstd = in<C>(args.rstd)[r];
      C mean_gn = 0;
      for (size_t c = 0; c < width; ++c) {
        n[c] = static_cast<C>(x[c]) * rstd;
        g[c] = static_cast<C>(dy[c]) * static_cast<C>(in<W>(args.weight)[c]);
        mean_gn += g[c] * n[c];
        dweight[c] += static_cast<C>(dy[c]) * n[c];
      }
      mean_gn /= static_cast<C>(width);
      if (args.dx == nullptr) continue;
      T* dx = out<T>(args.dx) + r * args.width;
      for (size_t c = 0; c < width; ++c) dx[c] = static_cast<T>(rstd * (g[c] - n[c] * mean_gn));
    }
    if (args.dweight != nullptr) std::copy(dweight.begin(), dweight.end(), out<C>(args.dweight));
  });
}

}  // namespace suanli::kernels::ref
