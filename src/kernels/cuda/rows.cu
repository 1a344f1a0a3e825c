// Row products, row scales and unit length: a block for each row, or a thread for eight elements.
#include "kernels/elementwise.h"
#include "kernels/pooling.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// sum over columns of x[c] * z[c], or of x[c] where z is null; the same in all threads.
template <class T>
__device__ Compute<T> dot(const T* x, const T* z, int64_t width) {
  using C = Compute<T>;
  C sum = 0;
  for_each_group(width, [&](int64_t c, int64_t count) {
    C a[kElements], b[kElements];
    load(x + c, count, a);
    if (z != nullptr) load(z + c, count, b);
#pragma unroll
    for (int e = 0; e < kElements; ++e) sum += z == nullptr ? a[e] : a[e] * b[e];
  });
  return block_sum(sum);
}

template <class T>
__device__ void row_product(const RowDot& args) {
  const int64_t row = blockIdx.x, start = row * args.width;
  const T* z = args.z == nullptr ? nullptr : static_cast<const T*>(args.z) + start;
  const Compute<T> sum = dot(static_cast<const T*>(args.x) + start, z, args.width);
  if (threadIdx.x == 0) static_cast<T*>(args.y)[row] = narrow<T>(sum);
}

template <class T>
__device__ void scale_rows(const RowScale& args) {
  const int64_t first = first_element(), count = args.rows * args.width - first;
  if (count <= 0) return;
  Compute<T> x[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
  int64_t row = first / args.width, column = first % args.width;
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    if (e < count) x[e] *= widen(static_cast<const T*>(args.factor)[row]);
    if (++column == args.width) ++row, column = 0;
  }
  store(static_cast<T*>(args.y) + first, count, x);
}

template <class T>
__device__ void normalize_rows(const NormalizeForward& args) {
  using C = Compute<T>;
  const int64_t row = blockIdx.x, start = row * args.width;
  const T* x = static_cast<const T*>(args.x) + start;
  const C norm = sqrt(dot(x, x, args.width)), least = static_cast<C>(args.eps);
  const C divisor = norm < least ? least : norm;  // written so that a NaN norm stays NaN
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C a[kElements];
    load(x + c, count, a);
#pragma unroll
    for (int e = 0; e < kElements; ++e) a[e] /= divisor;
    store(static_cast<T*>(args.y) + start + c, count, a);
  });
  if (threadIdx.x == 0) static_cast<C*>(args.norm)[row] = norm;
}

template <class T>
__device__ void normalize_rows_backward(const NormalizeBackward& args) {
  using C = Compute<T>;
  const int64_t row = blockIdx.x, start = row * args.width;
  const T *dy = static_cast<const T*>(args.dy) + start, *y = static_cast<const T*>(args.y) + start;
  const C norm = static_cast<const C*>(args.norm)[row], least = static_cast<C>(args.eps);
  // Where the norm was below eps the divisor was constant and nothing is projected out.
  const C along = norm < least ? C{0} : dot(y, dy, args.width), divisor = norm < least ? least : norm;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C a[kElements], b[kElements];
    load(dy + c, count, a);
    load(y + c, count, b);
#pragma unroll
    for (int e = 0; e < kElements; ++e) a[e] = (a[e] - b[e] * along) / divisor;
    store(static_cast<T*>(args.dx) + start + c, count, a);
  });
}

SUANLI_KERNELS(row_dot, row_product, RowDot, 256)
SUANLI_KERNELS(row_scale, scale_rows, RowScale, 256)
SUANLI_KERNELS(normalize_forward, normalize_rows, NormalizeForward, 256)
SUANLI_KERNELS(normalize_backward, normalize_rows_backward, NormalizeBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(rows);

void run_row_dot(const RowDot& args, Stream& stream) {
  code.launch("row_dot", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}
void run_row_scale(const RowScale& args, Stream& stream) {
  code.launch("row_scale", args.dtype, {.x = blocks_for(args.rows * args.width, 256 * 8)}, stream, args);
}
void run_normalize(const NormalizeForward& args, Stream& stream) {
  code.launch("normalize_forward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}
void run_normalize_backward(const NormalizeBackward& args, Stream& stream) {
  code.launch("normalize_backward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}

}  // namespace

void add_rows() {
  add(row_dot, any_floating<RowDot>, run_row_dot);
  add(row_scale, any_floating<RowScale>, run_row_scale);
  add(normalize_forward, any_floating<NormalizeForward>, run_normalize);
  add(normalize_backward, any_floating<NormalizeBackward>, run_normalize_backward);
}

}  // namespace suanli::kernels::cuda

#endif
