#include <vector>

#include "kernels/ref/activation.h"
#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

// C[m,n] = epilogue of (C[m,n]) + sum_k A[m,k] B[k,n] + bias[n]. A transposed operand is the same matrix with its
// strides swapped.
void run(const Matmul& args, Stream&) {
  const int64_t a_row = args.transpose_a ? 1 : args.k, a_column = args.transpose_a ? args.m : 1;
  const int64_t b_row = args.transpose_b ? 1 : args.n, b_column = args.transpose_b ? args.k : 1;
  dispatch_two(args.dtype, args.c_dtype, [&]<class T, class TC>() {
    using C = Compute<T>;
    const T *a = in<T>(args.a), *b = in<T>(args.b);
    std::vector<C> bias(static_cast<size_t>(args.n), C{0});
    if (args.bias != nullptr) {
      dispatch_floating(args.bias_dtype, [&]<class W>() {
        for (int64_t n = 0; n < args.n; ++n) bias[static_cast<size_t>(n)] = static_cast<C>(in<W>(args.bias)[n]);
      });
    }
    std::vector<C> sums(static_cast<size_t>(args.n));
    for (int64_t m = 0; m < args.m; ++m) {
      std::fill(sums.begin(), sums.end(), C{0});
      for (int64_t k = 0; k < args.k; ++k) {
        const C factor = static_cast<C>(a[m * a_row + k * a_column]);
        for (int64_t n = 0; n < args.n; ++n) {
          sums[static_cast<size_t>(n)] += factor * static_cast<C>(b[k * b_row + n * b_column]);
        }
      }
      TC* c = out<TC>(args.c) + m * args.n;
      for (int64_t n = 0; n < args.n; ++n) {
        C value = sums[static_cast<size_t>(n)] + bias[static_cast<size_t>(n)];
        if (args.accumulate) value += static_cast<C>(c[n]);
        const int64_t at = m * args.n + n;
        if (args.epilogue.factor != nullptr) value *= static_cast<C>(in<TC>(args.epilogue.factor)[at]);
        if (args.epilogue.at != nullptr) {
          const C x = static_cast<C>(in<TC>(args.epilogue.at)[at]);
          value = activation_gradient(*args.epilogue.activation, x, value);
        } else if (args.epilogue.activation) {
          if (args.epilogue.sum != nullptr) out<TC>(args.epilogue.sum)[at] = static_cast<TC>(value);
          if (args.epilogue.slope != nullptr) {
            out<TC>(args.epilogue.slope)[at] =
                static_cast<TC>(activation_gradient(*args.epilogue.activation, value, C{1}));
          }
          value = activate(*args.epilogue.activation, value);
        }
        c[n] = static_cast<TC>(value);
      }
      if (args.row_sums == nullptr) continue;
      C sum = 0;
      for (int64_t k = 0; k < args.k; ++k) sum += static_cast<C>(a[m * a_row + k * a_column]);
      out<TC>(args.row_sums)[m] = static_cast<TC>(sum);
    }
  });
}

void run(const ColumnSum& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    C* y = out<C>(args.y);
    for (int64_t n = 0; n < args.width; ++n) y[n] = 0;
    for (int64_t t = 0; t < args.rows; ++t) {
      for (int64_t n = 0; n < args.width; ++n) y[n] += static_cast<C>(in<T>(args.x)[t * args.width + n]);
    }
  });
}

}  // namespace suanli::kernels::ref
