#include "kernels/quantized_matmul.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

// q = round(x 127 / max |x|), scale = max |x| / 127.
void run(const QuantizeRows& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * args.width;
      int8_t* values = args.values + r * args.width;
      float most = 0;
      bool finite = true;
      for (int64_t c = 0; c < args.width; ++c) {
        const float size = std::abs(static_cast<float>(x[c]));
        finite = finite && std::isfinite(size);
        most = std::max(most, size);
      }
      const bool zero = !finite || most < 0x1p-100F;
      args.scale[r] = !finite ? std::numeric_limits<float>::quiet_NaN() : zero ? 0.0F : most / 127.0F;
      const float inverse = 127.0F / most;
      for (int64_t c = 0; c < args.width; ++c) {
        const double exact = static_cast<double>(static_cast<float>(x[c])) * inverse;
        values[c] = zero ? int8_t{0} : static_cast<int8_t>(std::nearbyint(exact));
      }
    }
  });
}

// Quad by quad, which four neighbouring bytes stay together in.
void run(const PackQuantized& args, Stream&) {
  const QuantizedLayout layout{args.n, args.k};
  std::memset(args.packed, 0, static_cast<size_t>(layout.bytes()));
  for (int64_t n = 0; n < args.n; ++n) {
    const int8_t* row = args.b + n * args.k;
    int32_t sum = 0;
    for (int64_t k = 0; k < args.k; k += 4) {
      std::memcpy(args.packed + layout.place(n, k), row + k, static_cast<size_t>(std::min<int64_t>(4, args.k - k)));
    }
    for (int64_t k = 0; k < args.k; ++k) sum += row[k];
    int8_t* sums =
        args.packed + n / QuantizedLayout::kRows * layout.square_bytes() + layout.steps() * QuantizedLayout::kStep;
    std::memcpy(sums + n % QuantizedLayout::kRows * int64_t{sizeof sum}, &sum, sizeof sum);
  }
}

// C[m,n] = fma(sum_k A[m,k] B[n,k] b_scale[n], a_scale[m], bias[n]), then the activation.
void run(const QuantizedMatmul& args, Stream& stream) {
  const QuantizedLayout layout{args.n, args.k};
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    std::vector<C> bias(static_cast<size_t>(args.n), C{0}), row(static_cast<size_t>(args.n));
    if (args.bias != nullptr) {
      dispatch_floating(args.bias_dtype, [&]<class W>() {
        for (int64_t n = 0; n < args.n; ++n) bias[static_cast<size_t>(n)] = static_cast<C>(in<W>(args.bias)[n]);
      });
    }
    for (int64_t m = 0; m < args.m; ++m) {
      for (int64_t n = 0; n < args.n; ++n) {
        int32_t sum = 0;
        for (int64_t k = 0; k < args.k; ++k) sum += args.a[m * args.k + k] * args.b[layout.place(n, k)];
        row[static_cast<size_t>(n)] = std::fma(static_cast<C>(sum) * static_cast<C>(args.b_scale[n]),
                                               static_cast<C>(args.a_scale[m]), bias[static_cast<size_t>(n)]);
      }
      if (args.activation) {
        run(ActivationForward{row.data(), row.data(), args.n, *args.activation, dtype_of<C>}, stream);
      }
      for (int64_t n = 0; n < args.n; ++n) out<T>(args.c)[m * args.n + n] = static_cast<T>(row[static_cast<size_t>(n)]);
    }
  });
}

}  // namespace suanli::kernels::ref
