// What one call of each kernel does. Operations are those of matrix products alone (a multiply-add is two); bytes are
// those that the formula must read and write at least once, whatever an implementation reads again.
#include <algorithm>
#include <initializer_list>

#include "base/concat.h"
#include "kernels/activation.h"
#include "kernels/attention.h"
#include "kernels/batch_norm.h"
#include "kernels/cached_attention.h"
#include "kernels/convolution.h"
#include "kernels/depthwise.h"
#include "kernels/dice_loss.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/focal_loss.h"
#include "kernels/im2row.h"
#include "kernels/layer_norm.h"
#include "kernels/layout.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/pooling2d.h"
#include "kernels/quantized_matmul.h"
#include "kernels/recurrence.h"
#include "kernels/rms_norm.h"
#include "kernels/roi_align.h"
#include "kernels/rotary_embedding.h"
#include "kernels/swiglu.h"
#include "kernels/upsample.h"

namespace suanli::kernels {

namespace {

struct Dimension {
  const char* letter;
  int64_t size;
};

std::string shape_of(std::initializer_list<Dimension> dimensions) {
  std::string text;
  for (const Dimension& d : dimensions) text += concat(text.empty() ? "" : " ", d.letter, "=", d.size);
  return text;
}

double bytes_of(int64_t elements, DType dtype) { return static_cast<double>(elements * size_of(dtype)); }

/// A kernel that goes over `arrays` arrays of `count` elements once.
Work one_pass(int64_t count, int arrays, DType dtype) {
  return {.shape = shape_of({{"N", count}}), .dtype = name_of(dtype), .bytes = arrays * bytes_of(count, dtype)};
}

/// The same for arrays of rows.
Work one_pass(int64_t rows, const Dimension& width, int arrays, DType dtype) {
  return {.shape = shape_of({{"T", rows}, width}),
          .dtype = name_of(dtype),
          .bytes = arrays * bytes_of(rows * width.size, dtype)};
}

int wanted(std::initializer_list<const void*> arrays) {
  int count = 0;
  for (const void* array : arrays) count += array != nullptr ? 1 : 0;
  return count;
}

/// `products` products of every query with each key that takes part, over `arrays` arrays of the queries' shape
/// [T, heads * head_size] and as many of the keys', whose heads are fewer where a group shares them.
template <class Args>
Work attention_work(const Args& args, int products, int arrays) {
  double pairs = args.pairs;
  for (int64_t b = 0; args.pairs == 0 && b < args.sequences; ++b) {
    const double length = args.offsets[b + 1] - args.offsets[b];
    pairs += args.causal ? length * (length + 1) / 2 : length * length;
  }
  const int64_t width = args.heads * args.head_size;
  return {.shape = shape_of({{"T", args.tokens},
                             {"B", args.sequences},
                             {"longest", args.longest},
                             {"A", args.heads},
                             {"D", args.head_size}}),
          .dtype = name_of(args.dtype),
          .flops = 2.0 * products * pairs * static_cast<double>(width),
          .bytes = arrays * bytes_of(args.tokens * (width + width / args.group), args.dtype)};
}

Work embedding_work(int64_t rows, int64_t vocab, int64_t width, DType dtype) {
  return {.shape = shape_of({{"T", rows}, {"V", vocab}, {"H", width}}),
          .dtype = name_of(dtype),
          .bytes = bytes_of(rows * width, dtype)};
}

template <class Args>
Work segment_mean_work(const Args& args) {
  const int64_t sequences = args.sequences, width = args.width;
  const DType dtype = args.dtype;
  int64_t tokens = args.tokens;
  if (tokens == 0 && sequences > 0) tokens = args.offsets[sequences] - args.offsets[0];
  return {.shape = shape_of({{"T", tokens}, {"B", sequences}, {"H", width}}),
          .dtype = name_of(dtype),
          .bytes = bytes_of((tokens + sequences) * width, dtype)};
}

}  // namespace

Work work_of(const Matmul& args) {
  const double m = static_cast<double>(args.m), n = static_cast<double>(args.n), k = static_cast<double>(args.k);
  const Epilogue& e = args.epilogue;
  const int of_c = 1 + (args.accumulate ? 1 : 0) + wanted({e.slope, e.sum, e.factor, e.at});
  return {.shape = concat(shape_of({{"M", args.m}, {"N", args.n}, {"K", args.k}}), args.transpose_a ? " A^T" : "",
                          args.transpose_b ? " B^T" : "", e.empty() ? "" : " epilogue",
                          args.row_sums == nullptr ? "" : " row sums"),
          .dtype = name_of(args.dtype),
          .flops = 2 * m * n * k,
          .bytes = bytes_of(args.m * args.k, args.dtype) + bytes_of(args.k * args.n, args.dtype) +
                   of_c * bytes_of(args.m * args.n, args.c_dtype)};
}

Work work_of(const QuantizeRows& args) {
  Work work = one_pass(args.rows, {"K", args.width}, 1, args.dtype);
  work.bytes += bytes_of(args.rows * args.width, DType::i8);
  return work;
}
Work work_of(const PackQuantized& args) { return one_pass(args.n, {"K", args.k}, 2, DType::i8); }
Work work_of(const QuantizedMatmul& args) {
  const double m = static_cast<double>(args.m), n = static_cast<double>(args.n), k = static_cast<double>(args.k);
  return {.shape = concat(shape_of({{"M", args.m}, {"N", args.n}, {"K", args.k}}), args.activation ? " epilogue" : ""),
          .dtype = name_of(DType::i8),
          .flops = 2 * m * n * k,
          .bytes = bytes_of(args.m * args.k + args.k * args.n, DType::i8) + bytes_of(args.m * args.n, args.dtype)};
}

Work work_of(const ColumnSum& args) { return one_pass(args.rows, {"H", args.width}, 1, args.dtype); }

Work work_of(const AttentionForward& args) { return attention_work(args, 2, 2); }   // q, out; k, v
Work work_of(const AttentionBackward& args) { return attention_work(args, 5, 4); }  // and dout, dq; dk, dv

Work work_of(const CacheAppend& args) {  // reads and writes keys and values
  return one_pass(args.cache.tokens, {"H", args.cache.key_heads * args.cache.head_size}, 4, args.dtype);
}
Work work_of(const CachedAttention& args) {
  const int64_t width = args.heads * args.cache.head_size;
  const double keys = args.pairs / static_cast<double>(std::max<int64_t>(args.cache.longest, 1));
  return {.shape = shape_of({{"T", args.cache.tokens},
                             {"B", args.cache.sequences},
                             {"A", args.heads},
                             {"G", args.cache.key_heads},
                             {"D", args.cache.head_size}}),
          .dtype = name_of(args.dtype),
          .flops = 4 * args.pairs * static_cast<double>(width),
          .bytes = 2 * bytes_of(args.cache.tokens * width, args.dtype) +
                   2 * keys * bytes_of(args.cache.key_heads * args.cache.head_size, args.dtype)};
}

Work work_of(const ActivationForward& args) { return one_pass(args.count, 2, args.dtype); }
Work work_of(const ActivationBackward& args) { return one_pass(args.count, 3, args.dtype); }
Work work_of(const Dropout& args) { return one_pass(args.count, 2, args.dtype); }
Work work_of(const BinaryForward& args) { return one_pass(args.count, 3, args.dtype); }
Work work_of(const Scale& args) { return one_pass(args.count, 2, args.dtype); }

Work work_of(const Cast& args) {
  Work work = one_pass(args.count, 1, args.from);
  work.bytes += bytes_of(args.count, args.to);
  return work;
}

Work work_of(const RowDot& a) { return one_pass(a.rows, {"H", a.width}, wanted({a.x, a.z}), a.dtype); }
Work work_of(const RowScale& args) { return one_pass(args.rows, {"H", args.width}, 2, args.dtype); }

Work work_of(const LayerNormForward& args) {
  return one_pass(args.rows, {"H", args.width}, wanted({args.x, args.residual, args.y, args.sum}), args.dtype);
}
Work work_of(const LayerNormBackward& args) {
  return one_pass(args.rows, {"H", args.width}, wanted({args.dy, args.sum, args.dx, args.dresidual}), args.dtype);
}

Work work_of(const RmsNormForward& args) { return one_pass(args.rows, {"H", args.width}, 2, args.dtype); }
Work work_of(const RmsNormBackward& a) { return one_pass(a.rows, {"H", a.width}, wanted({a.dy, a.x, a.dx}), a.dtype); }
Work work_of(const RotaryEmbedding& args) { return one_pass(args.tokens, {"H", args.width}, 2, args.dtype); }
Work work_of(const SwigluForward& args) { return one_pass(args.rows, {"F", args.width}, 3, args.dtype); }
Work work_of(const SwigluBackward& args) { return one_pass(args.rows, {"F", args.width}, 5, args.dtype); }

Work work_of(const EmbeddingForward& args) {
  Work work = embedding_work(args.rows, args.vocab, args.width, args.dtype);
  work.bytes += bytes_of(args.rows * args.width, args.table_dtype);
  return work;
}
Work work_of(const EmbeddingBackward& args) {
  Work work = embedding_work(args.rows, args.vocab, args.width, args.dtype);
  work.bytes += bytes_of(args.vocab * args.width, args.table_dtype);
  return work;
}

Work work_of(const CrossEntropyForward& args) { return one_pass(args.rows, {"V", args.vocab}, 1, args.dtype); }
Work work_of(const CrossEntropyBackward& args) { return one_pass(args.rows, {"V", args.vocab}, 2, args.dtype); }
Work work_of(const SoftCrossEntropyForward& args) { return one_pass(args.rows, {"V", args.vocab}, 2, args.dtype); }
Work work_of(const SoftCrossEntropyBackward& args) { return one_pass(args.rows, {"V", args.vocab}, 3, args.dtype); }
Work work_of(const PointwiseLossForward& args) { return one_pass(args.count, 2, args.dtype); }
Work work_of(const PointwiseLossBackward& args) { return one_pass(args.count, 3, args.dtype); }
Work work_of(const DiceLossForward& a) { return one_pass(a.pictures * a.pixels, {"V", a.classes}, 1, a.dtype); }
Work work_of(const DiceLossBackward& a) { return one_pass(a.pictures * a.pixels, {"V", a.classes}, 2, a.dtype); }
Work work_of(const FocalLossForward& args) { return one_pass(args.rows, {"V", args.classes}, 1, args.dtype); }
Work work_of(const FocalLossBackward& args) { return one_pass(args.rows, {"V", args.classes}, 2, args.dtype); }

Work work_of(const SegmentMeanForward& args) { return segment_mean_work(args); }
Work work_of(const SegmentMeanBackward& args) { return segment_mean_work(args); }
Work work_of(const NormalizeForward& args) { return one_pass(args.rows, {"H", args.width}, 2, args.dtype); }
Work work_of(const NormalizeBackward& args) { return one_pass(args.rows, {"H", args.width}, 3, args.dtype); }

/// A kernel between the pixels and the positions of windows, `per_position` elements of the latter for each.
static Work window_work(const Windows& w, int64_t per_position, DType dtype) {
  return {.shape = shape_of({{"B", w.images},
                             {"H", w.vertical.in},
                             {"W", w.horizontal.in},
                             {"C", w.channels},
                             {"OH", w.vertical.out},
                             {"OW", w.horizontal.out},
                             {"taps", w.taps()}}),
          .dtype = name_of(dtype),
          .bytes = bytes_of(w.pixels() * w.channels + w.positions() * per_position, dtype)};
}
Work work_of(const Im2Row& args) {
  return window_work(args.windows, args.windows.taps() * args.windows.channels, args.dtype);
}
Work work_of(const Row2Im& args) {
  return window_work(args.windows, args.windows.taps() * args.windows.channels, args.dtype);
}
Work work_of(const DepthwiseForward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
Work work_of(const DepthwiseBackward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
Work work_of(const DepthwiseWeight& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
/// Of one of a convolution's three products; a window's multiplications are counted where it reaches outside, too.
static Work convolution_work(const ConvolutionShape& shape, DType dtype, DType result, int64_t result_elements) {
  Work work = window_work(shape.windows, shape.outputs, dtype);
  work.shape = concat(work.shape, " ", shape_of({{"O", shape.outputs}, {"groups", shape.groups}}));
  work.flops = 2.0 * static_cast<double>(shape.y_elements()) * static_cast<double>(shape.windows.taps()) *
               static_cast<double>(shape.windows.channels);
  work.bytes = bytes_of(shape.x_elements() + shape.weight_elements() + shape.y_elements() - result_elements, dtype) +
               bytes_of(result_elements, result);
  return work;
}
Work work_of(const ConvolutionForward& args) {
  return convolution_work(args.shape, args.dtype, args.dtype, args.shape.y_elements());
}
Work work_of(const ConvolutionBackward& args) {
  return convolution_work(args.shape, args.dtype, args.dtype, args.shape.x_elements());
}
Work work_of(const ConvolutionWeight& args) {
  const DType sums = accumulation_dtype(args.dtype);
  return convolution_work(args.shape, args.dtype, sums, args.shape.weight_elements());
}
Work work_of(const MaxPoolForward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
Work work_of(const MaxPoolBackward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
Work work_of(const AvgPoolForward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }
Work work_of(const AvgPoolBackward& args) { return window_work(args.windows, args.windows.channels, args.dtype); }

Work work_of(const BatchNormStatistics& args) { return one_pass(args.rows, {"C", args.width}, 1, args.dtype); }
Work work_of(const BatchNormRstd& args) { return one_pass(args.width, 2, args.dtype); }
Work work_of(const BatchNormForward& args) { return one_pass(args.rows, {"C", args.width}, 2, args.dtype); }
Work work_of(const BatchNormSums& a) { return one_pass(a.rows, {"C", a.width}, wanted({a.dy, a.x, a.y}), a.dtype); }
Work work_of(const BatchNormBackward& args) {
  return one_pass(args.rows, {"C", args.width}, wanted({args.dy, args.x, args.y, args.dx}), args.dtype);
}

Work work_of(const CopyColumns& args) { return one_pass(args.rows, {"C", args.width}, 2, args.dtype); }
Work work_of(const Transpose& args) {
  Work work = one_pass(args.batch * args.rows * args.columns, 2, args.dtype);
  work.shape = shape_of({{"B", args.batch}, {"R", args.rows}, {"C", args.columns}});
  return work;
}
Work work_of(const PixelShuffle& args) { return one_pass(args.count(), 2, args.dtype); }

template <class Args>
static Work upsample_work(const Args& args) {
  const ResizeAxis &v = args.vertical, &h = args.horizontal;
  return {.shape = shape_of(
              {{"B", args.images}, {"H", v.in}, {"W", h.in}, {"OH", v.out}, {"OW", h.out}, {"C", args.channels}}),
          .dtype = name_of(args.dtype),
          .bytes = bytes_of(args.images * (v.in * h.in + v.out * h.out) * args.channels, args.dtype)};
}
Work work_of(const UpsampleForward& args) { return upsample_work(args); }
Work work_of(const UpsampleBackward& args) { return upsample_work(args); }

static Work roi_align_work(const RoiAlignSizes& s, DType dtype) {
  const int64_t out = s.boxes * s.out_height * s.out_width;
  return {.shape = shape_of({{"B", s.images},
                             {"H", s.height},
                             {"W", s.width},
                             {"C", s.channels},
                             {"N", s.boxes},
                             {"OH", s.out_height},
                             {"OW", s.out_width}}),
          .dtype = name_of(dtype),
          .bytes = bytes_of((s.images * s.height * s.width + out) * s.channels, dtype)};
}
Work work_of(const RoiAlignForward& args) { return roi_align_work(args.sizes, args.dtype); }
Work work_of(const RoiAlignBackward& args) { return roi_align_work(args.sizes, args.dtype); }

/// x, u, h and y; where kept for backward what is kept, too. An LSTM reads and writes c.
Work work_of(const RecurrentForward& args) {
  const auto gates = static_cast<int>(gate_count(args.cell)), kept = static_cast<int>(kept_count(args.cell));
  const int arrays = 2 * gates + 3 + (args.c != nullptr ? 2 : 0) + (args.kept != nullptr ? kept + 1 : 0);
  return one_pass(args.live, {"H", args.width}, arrays, args.dtype);
}
/// dy, what was kept, dh both ways, dx and du; an LSTM's c before and dc both ways.
Work work_of(const RecurrentBackward& args) {
  const auto gates = static_cast<int>(gate_count(args.cell)), kept = static_cast<int>(kept_count(args.cell));
  return one_pass(args.live, {"H", args.width}, 2 * gates + kept + 4 + (args.dc != nullptr ? 3 : 0), args.dtype);
}

/// A kernel that goes over the arrays of many tensors once, `bytes` of them.
template <class Tensors>
static Work many(const Tensors& tensors, const char* dtype, double bytes) {
  int64_t count = 0;
  for (const auto& tensor : tensors) count += tensor.count;
  return {.shape = shape_of({{"N", count}, {"tensors", static_cast<int64_t>(tensors.size())}}),
          .dtype = dtype,
          .bytes = bytes};
}

Work work_of(const AdamwStep& args) {  // reads four arrays, writes three
  double bytes = 0;
  for (const AdamwTensor& t : args.tensors) bytes += 3 * bytes_of(t.count, t.dtype) + 4 * bytes_of(t.count, args.dtype);
  return many(args.tensors, name_of(args.dtype), bytes);
}
Work work_of(const SgdStep& args) {
  double bytes = 0;
  for (const SgdTensor& t : args.tensors) bytes += (t.buffer != nullptr ? 5 : 3) * bytes_of(t.count, args.dtype);
  return many(args.tensors, name_of(args.dtype), bytes);
}
Work work_of(const SumsOfSquares& args) {
  double bytes = 0;
  for (const ArrayView& array : args.arrays) bytes += bytes_of(array.count, array.dtype);
  return many(args.arrays, name_of(args.arrays.empty() ? DType::f64 : args.arrays.front().dtype), bytes);
}
Work work_of(const ClippingFactor& args) { return one_pass(args.count, 1, DType::f64); }

}  // namespace suanli::kernels
