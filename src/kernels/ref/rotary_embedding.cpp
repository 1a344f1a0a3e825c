#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const RotaryEmbedding& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t half = args.head_size / 2, rotated = args.heads * args.head_size;
    for (int64_t t = 0; t < args.tokens; ++t) {
      const T* x = in<T>(args.x) + t * args.width;
      T* y = out<T>(args.y) + t * args.width;
      const C* cosines = in<C>(args.table) + args.positions[t] * args.head_size;
      const C* sines = cosines + half;
      for (int64_t first = 0; first < rotated; first += args.head_size) {
        for (int64_t i = 0; i < half; ++i) {
          const C a = static_cast<C>(x[first + i]), b = static_cast<C>(x[first + i + half]);
          const C c = cosines[i], s = args.inverse ? -sines[i] : sines[i];
          y[first + i] = static_cast<T>(c * a - s * b);
          y[first + i + half] = static_cast<T>(s * a + c * b);
        }
      }
      for (int64_t c = rotated; c < args.width; ++c) y[c] = x[c];
    }
  });
}

}  // namespace suanli::kernels::ref
