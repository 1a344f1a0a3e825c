#include "ops/loss.h"

#include <algorithm>

#include "autograd/tape.h"
#include "kernels/dice_loss.h"
#include "kernels/focal_loss.h"
#include "kernels/loss.h"
#include "ops/check.h"
#include "ops/labels.h"

namespace suanli::ops {

namespace {

Tensor pointwise_loss(const char* op, kernels::PointwiseLoss kind, const Tensor& x, const Tensor& target,
                      double normalizer, double beta = 1) {
  check_tensor(op, "x", x, x.shape().rank(), kFloating);
  check_shape(op, "target", target, x.shape());
  check_dtype(op, "target", target, accumulation_dtype(x.dtype()));
  check_device(op, x, target);
  const double scale = checked_scale(op, normalizer, x.elements());
  Tensor loss = Tensor::empty({1}, accumulation_dtype(x.dtype()), x.device());
  kernels::pointwise_loss_forward({x.data(), target.data(), loss.data(), x.elements(), scale, kind, x.dtype(), beta},
                                  stream_of(x));
  record(op, loss, {x}, [x = detach(x), target, scale, kind, beta](const Tensor& dloss) {
    Tensor dx = Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::pointwise_loss_backward(
        {x.data(), target.data(), dloss.data(), dx.data(), x.elements(), scale, kind, x.dtype(), beta}, stream_of(x));
    return std::vector<Tensor>{dx};
  });
  return loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& true_labels, const CrossEntropyOptions& options) {
  check_label_smoothing("cross_entropy", options.label_smoothing);
  check_tensor("cross_entropy", "logits", logits, 2, kFloating);
  const int64_t counted =
      counted_labels("cross_entropy", true_labels, logits.dim(0), logits.dim(1), options.ignore_index);
  const Tensor labels = beside(logits, true_labels);
  const double scale = checked_scale("cross_entropy", options.normalizer, counted);

  const DType statistics = accumulation_dtype(logits.dtype());
  const auto* label_data = static_cast<const int32_t*>(labels.data());
  Tensor lse = Tensor::empty({logits.dim(0)}, statistics, logits.device());
  Tensor loss = Tensor::empty({1}, statistics, logits.device());
  kernels::cross_entropy_forward({logits.data(), label_data, lse.data(), loss.data(), logits.dim(0), logits.dim(1),
                                  options.ignore_index, options.label_smoothing, scale, logits.dtype()},
                                 stream_of(logits));
  record("cross_entropy", loss, {logits},
         [x = detach(logits), labels, lse, options, scale](const Tensor& dloss) mutable {
           // Nobody else reads the logits any more: their memory takes the gradient.
           Tensor dlogits = x.unique() ? x : Tensor::empty(x.shape(), x.dtype(), x.device());
           kernels::cross_entropy_backward(
               {x.data(), lse.data(), dloss.data(), static_cast<const int32_t*>(labels.data()), dlogits.data(),
                x.dim(0), x.dim(1), options.ignore_index, options.label_smoothing, scale, x.dtype()},
               stream_of(x));
           x = {};
           return std::vector<Tensor>{dlogits};
         });
  return loss;
}

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, double normalizer) {
  const char* op = "soft_cross_entropy";
  check_tensor(op, "logits", logits, 2, kFloating);
  check_shape(op, "targets", targets, logits.shape());
  check_dtype(op, "targets", targets, accumulation_dtype(logits.dtype()));
  check_device(op, logits, targets);
  const double scale = checked_scale(op, normalizer, logits.dim(0));
  Tensor lse = Tensor::empty({logits.dim(0)}, targets.dtype(), logits.device());
  Tensor loss = Tensor::empty({1}, targets.dtype(), logits.device());
  kernels::soft_cross_entropy_forward(
      {logits.data(), targets.data(), lse.data(), loss.data(), logits.dim(0), logits.dim(1), scale, logits.dtype()},
      stream_of(logits));
  record(op, loss, {logits}, [x = detach(logits), targets = detach(targets), lse, scale](const Tensor& dloss) {
    Tensor dlogits = Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::soft_cross_entropy_backward(
        {x.data(), targets.data(), lse.data(), dloss.data(), dlogits.data(), x.dim(0), x.dim(1), scale, x.dtype()},
        stream_of(x));
    return std::vector<Tensor>{dlogits};
  });
  return loss;
}

Tensor dice_loss(const Tensor& logits, const Tensor& true_labels, int64_t pictures, const DiceLossOptions& options) {
  const char* op = "dice_loss";
  if (!(options.smooth > 0)) throw UserError(op, "expected smooth > 0, got " + std::to_string(options.smooth));
  check_tensor(op, "logits", logits, 2, kFloating);
  const int64_t counted = counted_labels(op, true_labels, logits.dim(0), logits.dim(1), options.ignore_index);
  if (pictures < 1 || logits.dim(0) % pictures != 0) {
    throw UserError(op, "expected pictures of equally many pixels, got " + std::to_string(logits.dim(0)) +
                            " pixels of " + std::to_string(pictures));
  }
  const int64_t pixels = logits.dim(0) / pictures, classes = logits.dim(1);
  const Tensor labels = beside(logits, true_labels);
  const double scale = checked_scale(op, options.normalizer, counted);
  const DType statistics = accumulation_dtype(logits.dtype());
  Tensor lse = Tensor::empty({logits.dim(0)}, statistics, logits.device());
  Tensor all = Tensor::empty({pictures, classes}, statistics, logits.device());
  Tensor own = Tensor::empty({pictures, classes}, statistics, logits.device());
  Tensor loss = Tensor::empty({1}, statistics, logits.device());
  kernels::dice_loss_forward(
      {logits.data(), static_cast<const int32_t*>(labels.data()), lse.data(), all.data(), own.data(), loss.data(),
       pictures, pixels, classes, options.ignore_index, options.smooth, scale, logits.dtype()},
      stream_of(logits));
  record(
      op, loss, {logits},
      [x = detach(logits), labels, lse, all, own, pictures, ignore = options.ignore_index, scale](const Tensor& dloss) {
        Tensor dlogits = Tensor::empty(x.shape(), x.dtype(), x.device());
        kernels::dice_loss_backward(
            {x.data(), lse.data(), all.data(), own.data(), dloss.data(), static_cast<const int32_t*>(labels.data()),
             dlogits.data(), pictures, x.dim(0) / pictures, x.dim(1), ignore, scale, x.dtype()},
            stream_of(x));
        return std::vector<Tensor>{dlogits};
      });
  return loss;
}

Tensor focal_loss(const Tensor& logits, const Tensor& true_labels, const Tensor& class_weights,
                  const FocalLossOptions& options) {
  if (!(options.gamma >= 0)) {
    throw UserError("focal_loss", "expected gamma >= 0, got " + std::to_string(options.gamma));
  }
  check_tensor("focal_loss", "logits", logits, 2, kFloating);
  const int64_t rows = counted_labels("focal_loss", true_labels, logits.dim(0), logits.dim(1), std::nullopt);
  const DType statistics = accumulation_dtype(logits.dtype());
  Tensor weights;
  if (class_weights.defined()) {
    check_tensor("focal_loss", "class_weights", class_weights, 1, {statistics});
    check_shape("focal_loss", "class_weights", class_weights, {logits.dim(1)});
    weights = class_weights.on(logits.device());
  }
  const Tensor labels = beside(logits, true_labels);
  const double scale = checked_scale("focal_loss", options.normalizer, rows);
  const auto* label_data = static_cast<const int32_t*>(labels.data());
  const void* weight_data = weights.defined() ? weights.data() : nullptr;
  Tensor lse = Tensor::empty({rows}, statistics, logits.device());
  Tensor loss = Tensor::empty({1}, statistics, logits.device());
  kernels::focal_loss_forward({logits.data(), label_data, weight_data, lse.data(), loss.data(), rows, logits.dim(1),
                               options.gamma, scale, logits.dtype()},
                              stream_of(logits));
  record("focal_loss", loss, {logits},
         [x = detach(logits), labels, weights, lse, gamma = options.gamma, scale](const Tensor& dloss) {
           Tensor dlogits = Tensor::empty(x.shape(), x.dtype(), x.device());
           kernels::focal_loss_backward({x.data(), lse.data(), dloss.data(), static_cast<const int32_t*>(labels.data()),
                                         weights.defined() ? weights.data() : nullptr, dlogits.data(), x.dim(0),
                                         x.dim(1), gamma, scale, x.dtype()},
                                        stream_of(x));
           return std::vector<Tensor>{dlogits};
         });
  return loss;
}

Tensor mse_loss(const Tensor& x, const Tensor& target, double normalizer) {
  return pointwise_loss("mse_loss", kernels::PointwiseLoss::mse, x, target, normalizer);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, double normalizer) {
  return pointwise_loss("l1_loss", kernels::PointwiseLoss::l1, x, target, normalizer);
}

Tensor bce_with_logits(const Tensor& x, const Tensor& target, double normalizer) {
  return pointwise_loss("bce_with_logits", kernels::PointwiseLoss::bce_with_logits, x, target, normalizer);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, double beta, double normalizer) {
  if (!(beta > 0)) throw UserError("smooth_l1_loss", "expected beta above 0, got " + std::to_string(beta));
  return pointwise_loss("smooth_l1_loss", kernels::PointwiseLoss::smooth_l1, x, target, normalizer, beta);
}

}  // namespace suanli::ops
