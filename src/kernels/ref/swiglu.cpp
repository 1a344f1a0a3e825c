#include "kernels/ref/activation.h"
#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const SwigluForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * 2 * args.width;
      for (int64_t c = 0; c < args.width; ++c) {
        const C g = static_cast<C>(x[c]), u = static_cast<C>(x[args.width + c]);
        out<T>(args.y)[r * args.width + c] = static_cast<T>(g * sigmoid(g) * u);
      }
    }
  });
}

void run(const SwigluBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * 2 * args.width;
      T* dx = out<T>(args.dx) + r * 2 * args.width;
      for (int64_t c = 0; c < args.width; ++c) {
        const C g = static_cast<C>(x[c]), u = static_cast<C>(x[args.width + c]), s = sigmoid(g);
        const C dy = static_cast<C>(in<T>(args.dy)[r * args.width + c]);
        dx[c] = static_cast<T>(dy * u * s * (1 + g * (1 - s)));
        dx[args.width + c] = static_cast<T>(dy * g * s);
      }
    }
  });
}

}  // namespace suanli::kernels::ref
