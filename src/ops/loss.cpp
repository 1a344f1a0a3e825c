#include "ops/loss.h"

#include <algorithm>
#include <optional>

#include "autograd/tape.h"
#include "kernels/focal_loss.h"
#include "kernels/loss.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

/// Checks every label and returns how many are counted.
int64_t counted_labels(const char* op, const Tensor& logits, const Tensor& labels, std::optional<int32_t> ignore) {
  check_tensor(op, "logits", logits, 2, kFloating);
  check_tensor(op, "labels", labels, 1, {DType::i32});
  check_shape(op, "labels", labels, {logits.dim(0)});
  const int64_t classes = logits.dim(1);
  const Tensor host = on_host(labels);
  int64_t counted = 0;
  for (const int32_t label : host.host<int32_t>()) {
    if (label == ignore) continue;
    if (label < 0 || label >= classes) {
      const std::string ignored = ignore ? " or " + std::to_string(*ignore) + " (ignored)" : "";
      throw UserError(
          op, "expected labels in 0.." + std::to_string(classes - 1) + ignored + ", got " + std::to_string(label));
    }
    ++counted;
  }
  return counted;
}

double checked_scale(const char* op, double normalizer, int64_t count) {
  if (!(normalizer >= 0)) throw UserError(op, "expected a normalizer >= 0, got " + std::to_string(normalizer));
  return 1.0 / (normalizer > 0 ? normalizer : static_cast<double>(std::max<int64_t>(count, 1)));
}

Tensor pointwise_loss(const char* op, kernels::PointwiseLoss kind, const Tensor& x, const Tensor& target,
                      double normalizer) {
  check_tensor(op, "x", x, x.shape().rank(), kFloating);
  check_shape(op, "target", target, x.shape());
  check_dtype(op, "target", target, accumulation_dtype(x.dtype()));
  check_device(op, x, target);
  const double scale = checked_scale(op, normalizer, x.elements());
  Tensor loss = Tensor::empty({1}, accumulation_dtype(x.dtype()), x.device());
  kernels::pointwise_loss_forward({x.data(), target.data(), loss.data(), x.elements(), scale, kind, x.dtype()},
                                  stream_of(x));
  record(op, loss, {x}, [x = detach(x), target, scale, kind](const Tensor& dloss) {
    Tensor dx = Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::pointwise_loss_backward(
        {x.data(), target.data(), dloss.data(), dx.data(), x.elements(), scale, kind, x.dtype()}, stream_of(x));
    return std::vector<Tensor>{dx};
  });
  return loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& true_labels, const CrossEntropyOptions& options) {
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1)) {
    throw UserError("cross_entropy",
                    "expected label_smoothing in [0, 1), got " + std::to_string(options.label_smoothing));
  }
  const int64_t counted = counted_labels("cross_entropy", logits, true_labels, options.ignore_index);
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

Tensor focal_loss(const Tensor& logits, const Tensor& true_labels, const Tensor& class_weights,
                  const FocalLossOptions& options) {
  if (!(options.gamma >= 0)) {
    throw UserError("focal_loss", "expected gamma >= 0, got " + std::to_string(options.gamma));
  }
  const int64_t rows = counted_labels("focal_loss", logits, true_labels, std::nullopt);
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

Tensor bce_with_logits(const Tensor& x, const Tensor& target, double normalizer) {
  return pointwise_loss("bce_with_logits", kernels::PointwiseLoss::bce_with_logits, x, target, normalizer);
}

}  // namespace suanli::ops
