#include "ops/linear_cross_entropy.h"

#include <algorithm>

#include "autograd/tape.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/labels.h"
#include "ops/linear.h"
#include "ops/product.h"

namespace suanli::ops {

namespace {

/// What the chunks of the loss and of its gradient read.
struct Head {
  Tensor x, weight, bias;  ///< weight in the dtype of x
  Tensor labels, lse;      ///< beside x
  CrossEntropyOptions options;
  double scale;
  int64_t chunk;  ///< rows

  int64_t chunks() const { return (x.dim(0) + chunk - 1) / chunk; }
  /// Calls f(begin, logits) for the logits of rows [begin, begin + chunk) after one another, in the same memory.
  template <class F>
  void each_chunk(F&& f) const {
    const Tensor memory = Tensor::empty({chunk, weight.dim(0)}, x.dtype(), x.device());
    for (int64_t begin = 0; begin < x.dim(0); begin += chunk) {
      const int64_t end = std::min(x.dim(0), begin + chunk);
      const Tensor logits = memory.rows(0, end - begin);
      product(x.rows(begin, end), false, weight, true, bias, logits);
      f(begin, logits);
    }
  }
  const int32_t* labels_from(int64_t row) const {
    return static_cast<const int32_t*>(labels.rows(row, row + 1).data());
  }
};

Tensor loss_of(const Head& head) {
  Tensor parts = Tensor::empty({head.chunks(), 1}, head.lse.dtype(), head.x.device());
  head.each_chunk([&](int64_t begin, const Tensor& logits) {
    const int64_t chunk = begin / head.chunk;
    kernels::cross_entropy_forward(
        {logits.data(), head.labels_from(begin), head.lse.rows(begin, begin + logits.dim(0)).data(),
         parts.rows(chunk, chunk + 1).data(), logits.dim(0), logits.dim(1), head.options.ignore_index,
         head.options.label_smoothing, head.scale, logits.dtype()},
        stream_of(logits));
  });
  return bias_gradient(parts, parts.dtype());  // the sum of its rows
}

}  // namespace

int64_t rows_of_logits(int64_t classes, int64_t most_logits) { return std::max<int64_t>(1, most_logits / classes); }

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& true_labels,
                            const CrossEntropyOptions& options, int64_t most_logits) {
  const char* op = "linear_cross_entropy";
  check_linear(op, x, weight, bias);
  check_label_smoothing(op, options.label_smoothing);
  const int64_t counted = counted_labels(op, true_labels, x.dim(0), weight.dim(0), options.ignore_index);
  const double scale = checked_scale(op, options.normalizer, counted);
  const int64_t chunk = rows_of_logits(weight.dim(0), most_logits);
  if (x.dim(0) <= chunk) return cross_entropy(linear(x, weight, bias), true_labels, options);

  const DType sums = accumulation_dtype(x.dtype());
  const Head head = {.x = detach(x),
                     .weight = cast(detach(weight), x.dtype()),
                     .bias = bias.defined() ? detach(bias) : Tensor(),
                     .labels = beside(x, true_labels),
                     .lse = Tensor::empty({x.dim(0)}, sums, x.device()),
                     .options = options,
                     .scale = scale,
                     .chunk = chunk};
  Tensor loss = loss_of(head);

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  const bool want_bias = bias.defined() && wants_gradient(bias);
  record(op, loss, {x, weight, bias},
         [head, want_x, want_weight, want_bias, sums, weight_dtype = weight.dtype(),
          bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](const Tensor& dloss) {
           const auto empty = [&](const Shape& shape, DType dtype) {
             return Tensor::empty(shape, dtype, head.x.device());
           };
           Tensor dx, dweight, dbias;
           if (want_x) dx = empty(head.x.shape(), head.x.dtype());
           if (want_weight) dweight = empty(head.weight.shape(), sums);
           if (want_bias) dbias = empty({head.chunks(), head.weight.dim(0)}, sums);
           head.each_chunk([&](int64_t begin, const Tensor& dlogits) {
             const int64_t end = begin + dlogits.dim(0), part = begin / head.chunk;
             kernels::cross_entropy_backward(
                 {dlogits.data(), head.lse.rows(begin, end).data(), dloss.data(), head.labels_from(begin),
                  dlogits.data(), dlogits.dim(0), dlogits.dim(1), head.options.ignore_index,
                  head.options.label_smoothing, head.scale, dlogits.dtype()},
                 stream_of(dlogits));
             if (want_x) product(dlogits, false, head.weight, false, {}, dx.rows(begin, end));
             if (want_weight) product(dlogits, true, head.x.rows(begin, end), false, {}, dweight, {}, begin > 0);
             if (want_bias) {
               kernels::column_sum(
                   {dlogits.data(), dbias.rows(part, part + 1).data(), dlogits.dim(0), dlogits.dim(1), dlogits.dtype()},
                   stream_of(dlogits));
             }
           });
           if (want_weight) dweight = cast(dweight, weight_dtype);
           if (want_bias) dbias = bias_gradient(dbias, bias_dtype);
           return std::vector<Tensor>{dx, dweight, dbias};
         });
  return loss;
}

}  // namespace suanli::ops
