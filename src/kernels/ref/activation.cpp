#include "kernels/ref/activation.h"

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const ActivationForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t i = 0; i < args.count; ++i) {
      out<T>(args.y)[i] = static_cast<T>(activate(args.kind, static_cast<Compute<T>>(in<T>(args.x)[i])));
    }
  });
}

void run(const ActivationBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t i = 0; i < args.count; ++i) {
      const C x = static_cast<C>(in<T>(args.x)[i]), dy = static_cast<C>(in<T>(args.dy)[i]);
      out<T>(args.dx)[i] = static_cast<T>(activation_gradient(args.kind, x, dy));
    }
  });
}

}  // namespace suanli::kernels::ref
