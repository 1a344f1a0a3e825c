#include <cmath>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const LayerNormForward& args, Stream&) {
  dispatch_two(args.dtype, args.weight_dtype, [&]<class T, class W>() {
    using C = Compute<T>;
    std::vector<C> row(static_cast<size_t>(args.width));
    for (int64_t r = 0; r < args.rows; ++r) {
      const int64_t start = r * args.width;
      // The row to be normalised: x, or residual + dropout(x), not yet rounded to T.
      for (int64_t c = 0; c < args.width; ++c) {
        const int64_t i = start + c;
        C value = static_cast<C>(in<T>(args.x)[i]);
        if (args.residual != nullptr) {
          value = static_cast<C>(in<T>(args.residual)[i]) +
                  value * static_cast<C>(dropout_factor(args.dropout, static_cast<uint64_t>(i)));
          if (args.sum != nullptr) out<T>(args.sum)[i] = static_cast<T>(value);
        }
        row[static_cast<size_t>(c)] = value;
      }
      C mean = 0, variance = 0;
      for (const C value : row) mean += value;
      mean /= static_cast<C>(args.width);
      for (const C value : row) variance += (value - mean) * (value - mean);
      variance /= static_cast<C>(args.width);
      const C rstd = 1 / std::sqrt(variance + static_cast<C>(args.eps));
      for (int64_t c = 0; c < args.width; ++c) {
        const C weight = static_cast<C>(in<W>(args.weight)[c]), bias = static_cast<C>(in<W>(args.bias)[c]);
        out<T>(args.y)[start + c] = static_cast<T>((row[static_cast<size_t>(c)] - mean) * rstd * weight + bias);
      }
      if (args.mean != nullptr) out<C>(args.mean)[r] = mean;
      if (args.rstd != nullptr) out<C>(args.rstd)[r] = rstd;
    }
  });
}

void run(const LayerNormBackward& args, Stream&) {
  dispatch_two(args.dtype, args.weight_dtype, [&]<class T, class W>() {
    using C = Compute<T>;
    const auto width = static_cast<size_t>(args.width);
    std::vector<C> n(width), g(width), dweight(width, C{0}), dbias(width, C{0});
    for (int64_t r = 0; r < args.rows; ++r) {
      const T *dy = in<T>(args.dy) + r * args.width, *sum = in<T>(args.sum) + r * args.width;
      const C mean = in<C>(args.mean)[r], rstd = in<C>(args.rstd)[r];
      C mean_g = 0, mean_gn = 0;
      for (size_t c = 0; c < width; ++c) {
        n[c] = (static_cast<C>(sum[c]) - mean) * rstd;
        g[c] = static_cast<C>(dy[c]) * static_cast<C>(in<W>(args.weight)[c]);
        mean_g += g[c];
        mean_gn += g[c] * n[c];
        dweight[c] += static_cast<C>(dy[c]) * n[c];
        dbias[c] += static_cast<C>(dy[c]);
      }
      mean_g /= static_cast<C>(width);
      mean_gn /= static_cast<C>(width);
      for (size_t c = 0; c < width; ++c) {
        const C dsum = rstd * (g[c] - mean_g - n[c] * mean_gn);
        const size_t i = static_cast<size_t>(r) * width + c;
        if (args.dresidual != nullptr) out<T>(args.dresidual)[i] = static_cast<T>(dsum);
        if (args.dx != nullptr) {
          out<T>(args.dx)[i] = static_cast<T>(dsum * static_cast<C>(dropout_factor(args.dropout, i)));
        }
      }
    }
    if (args.dweight != nullptr) std::copy(dweight.begin(), dweight.end(), out<C>(args.dweight));
    if (args.dbias != nullptr) std::copy(dbias.begin(), dbias.end(), out<C>(args.dbias));
  });
}

}  // namespace suanli::kernels::ref
