#include <cmath>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const BatchNormStatistics& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const auto rows = static_cast<C>(args.rows), momentum = static_cast<C>(args.momentum);
    for (int64_t c = 0; c < args.width; ++c) {
      C sum = 0, squares = 0;
      for (int64_t r = 0; r < args.rows; ++r) sum += static_cast<C>(in<T>(args.x)[r * args.width + c]);
      const C mean = sum / rows;
      for (int64_t r = 0; r < args.rows; ++r) {
        const C d = static_cast<C>(in<T>(args.x)[r * args.width + c]) - mean;
        squares += d * d;
      }
      out<C>(args.mean)[c] = mean;
      out<C>(args.rstd)[c] = 1 / std::sqrt(squares / rows + static_cast<C>(args.eps));
      if (args.running_mean == nullptr) continue;
      C &running_mean = out<C>(args.running_mean)[c], &running_var = out<C>(args.running_var)[c];
      running_mean = (1 - momentum) * running_mean + momentum * mean;
      running_var = (1 - momentum) * running_var + momentum * squares / (rows - 1);
    }
  });
}

void run(const BatchNormRstd& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t c = 0; c < args.width; ++c) {
      const C var = static_cast<C>(in<T>(args.var)[c]);
      out<T>(args.rstd)[c] = static_cast<T>(1 / std::sqrt(var + static_cast<C>(args.eps)));
    }
  });
}

void run(const BatchNormForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      for (int64_t c = 0; c < args.width; ++c) {
        const C centred = static_cast<C>(in<T>(args.x)[r * args.width + c]) - in<C>(args.mean)[c];
        const C y = centred * in<C>(args.rstd)[c] * in<C>(args.weight)[c] + in<C>(args.bias)[c];
        out<T>(args.y)[r * args.width + c] = static_cast<T>(args.relu && y < 0 ? C{0} : y);
      }
    }
  });
}

namespace {
/// g at element i: dy, or 0 where a ReLU cut it off.
template <class T, class Args>
Compute<T> cut_gradient(const Args& args, int64_t i) {
  const bool off = args.y != nullptr && static_cast<Compute<T>>(in<T>(args.y)[i]) <= 0;
  return off ? Compute<T>{0} : static_cast<Compute<T>>(in<T>(args.dy)[i]);
}
/// xhat at row r, column c.
template <class T, class Args>
Compute<T> normalised(const Args& args, int64_t r, int64_t c) {
  using C = Compute<T>;
  return (static_cast<C>(in<T>(args.x)[r * args.width + c]) - in<C>(args.mean)[c]) * in<C>(args.rstd)[c];
}
}  // namespace

void run(const BatchNormSums& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t c = 0; c < args.width; ++c) {
      C dweight = 0, dbias = 0;
      for (int64_t r = 0; r < args.rows; ++r) {
        const C g = cut_gradient<T>(args, r * args.width + c);
        dbias += g;
        dweight += g * normalised<T>(args, r, c);
      }
      out<C>(args.dweight)[c] = dweight;
      out<C>(args.dbias)[c] = dbias;
    }
  });
}

void run(const BatchNormBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      for (int64_t c = 0; c < args.width; ++c) {
        C g = cut_gradient<T>(args, r * args.width + c);
        if (!args.fixed) {
          g -= (in<C>(args.dbias)[c] + normalised<T>(args, r, c) * in<C>(args.dweight)[c]) / static_cast<C>(args.rows);
        }
        out<T>(args.dx)[r * args.width + c] = static_cast<T>(g * in<C>(args.rstd)[c] * in<C>(args.weight)[c]);
      }
    }
  });
}

}  // namespace suanli::kernels::ref
