#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const EmbeddingForward& args, Stream&) {
  dispatch_two(args.table_dtype, args.dtype, [&]<class W, class T>() {
    for (int64_t t = 0; t < args.rows; ++t) {
      const W* row = in<W>(args.table) + args.ids[t] * args.width;
      for (int64_t c = 0; c < args.width; ++c) {
        out<T>(args.y)[t * args.width + c] = static_cast<T>(static_cast<Compute<W>>(row[c]));
      }
    }
  });
}

// Each position adds its gradient to the row of its id, in rising order of position; the sums are rounded at the end.
void run(const EmbeddingBackward& args, Stream&) {
  dispatch_two(args.table_dtype, args.dtype, [&]<class W, class T>() {
    using C = Compute<T>;
    std::vector<C> sums(static_cast<size_t>(args.vocab * args.width), C{0});
    for (int64_t t = 0; t < args.rows; ++t) {
      C* row = sums.data() + args.ids[t] * args.width;
      for (int64_t c = 0; c < args.width; ++c) row[c] += static_cast<C>(in<T>(args.dy)[t * args.width + c]);
    }
    for (size_t i = 0; i < sums.size(); ++i) out<W>(args.dtable)[i] = static_cast<W>(sums[i]);
  });
}

}  // namespace suanli::kernels::ref
