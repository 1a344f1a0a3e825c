#include <algorithm>
#include <cmath>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const SegmentMeanForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t b = 0; b < args.sequences; ++b) {
      const int64_t begin = args.offsets[b], end = args.offsets[b + 1];
      for (int64_t c = 0; c < args.width; ++c) {
        C sum = 0;
        for (int64_t t = begin; t < end; ++t) sum += static_cast<C>(in<T>(args.x)[t * args.width + c]);
        out<T>(args.y)[b * args.width + c] = static_cast<T>(begin == end ? C{0} : sum / static_cast<C>(end - begin));
      }
    }
  });
}

void run(const SegmentMeanBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t b = 0; b < args.sequences; ++b) {
      const int64_t begin = args.offsets[b], end = args.offsets[b + 1];
      for (int64_t t = begin; t < end; ++t) {
        for (int64_t c = 0; c < args.width; ++c) {
          const C dy = static_cast<C>(in<T>(args.dy)[b * args.width + c]);
          out<T>(args.dx)[t * args.width + c] = static_cast<T>(dy / static_cast<C>(end - begin));
        }
      }
    }
  });
}

void run(const NormalizeForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * args.width;
      C squares = 0;
      for (int64_t c = 0; c < args.width; ++c) squares += static_cast<C>(x[c]) * static_cast<C>(x[c]);
      const C norm = std::sqrt(squares), least = static_cast<C>(args.eps);
      const C divisor = norm < least ? least : norm;  // written so that a NaN norm stays NaN
      for (int64_t c = 0; c < args.width; ++c) {
        out<T>(args.y)[r * args.width + c] = static_cast<T>(static_cast<C>(x[c]) / divisor);
      }
      out<C>(args.norm)[r] = norm;
    }
  });
}

void run(const NormalizeBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T *dy = in<T>(args.dy) + r * args.width, *y = in<T>(args.y) + r * args.width;
      const C norm = in<C>(args.norm)[r], least = static_cast<C>(args.eps);
      C along = 0;  // y . dy; where the norm was below eps the divisor was constant and nothing is projected out
      if (!(norm < least)) {
        for (int64_t c = 0; c < args.width; ++c) along += static_cast<C>(y[c]) * static_cast<C>(dy[c]);
      }
      const C divisor = norm < least ? least : norm;
      for (int64_t c = 0; c < args.width; ++c) {
        out<T>(args.dx)[r * args.width + c] =
            static_cast<T>((static_cast<C>(dy[c]) - static_cast<C>(y[c]) * along) / divisor);
      }
    }
  });
}

}  // namespace suanli::kernels::ref
