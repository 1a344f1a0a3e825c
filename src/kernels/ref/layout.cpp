#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const CopyColumns& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t r = 0; r < args.rows; ++r) {
      for (int64_t c = 0; c < args.width; ++c) {
        out<T>(args.y)[r * args.y_pitch + c] = in<T>(args.x)[r * args.x_pitch + c];
      }
    }
  });
}

void run(const Transpose& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t b = 0; b < args.batch; ++b) {
      for (int64_t r = 0; r < args.rows; ++r) {
        for (int64_t c = 0; c < args.columns; ++c) {
          out<T>(args.y)[(b * args.columns + c) * args.rows + r] =
              in<T>(args.x)[(b * args.rows + r) * args.columns + c];
        }
      }
    }
  });
}

void run(const PixelShuffle& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t wide = 0; wide < args.count(); ++wide) {
      const int64_t deep = args.deep(wide);
      out<T>(args.y)[args.inverse ? deep : wide] = in<T>(args.x)[args.inverse ? wide : deep];
    }
  });
}

}  // namespace suanli::kernels::ref
