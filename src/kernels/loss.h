/// Losses: each forward gives one number, each backward the gradient of its input, already times the weight of the
/// loss.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// Softmax cross-entropy with ignored label and label smoothing e (torch.nn.functional.cross_entropy):
///   loss = scale * sum over t with labels[t] != ignore of  (1-e) (lse_t - x[t,label]) + e (lse_t - mean_v x[t,v])
/// logits [rows, vocab] of `dtype`; labels [rows] i32 in 0..vocab-1 or `ignore`; lse [rows] f32 (f64), kept for
/// backward; loss [1] f32 (f64). The sum over rows is taken in row order in f64.
struct CrossEntropyForward {
  const void* logits;
  const int32_t* labels;
  void *lse, *loss;
  int64_t rows, vocab;
  int32_t ignore;
  double smoothing, scale;
  DType dtype;
};
inline Kernel<CrossEntropyForward> cross_entropy_forward{"cross_entropy.forward"};
Work work_of(const CrossEntropyForward& args);

/// dlogits[t,v] = dloss * scale * (exp(x[t,v] - lse_t) - (1-e) [v = label] - e / vocab), 0 for ignored rows.
/// dloss [1] f32 (f64); dlogits may be logits.
struct CrossEntropyBackward {
  const void *logits, *lse, *dloss;
  const int32_t* labels;
  void* dlogits;
  int64_t rows, vocab;
  int32_t ignore;
  double smoothing, scale;
  DType dtype;
};
inline Kernel<CrossEntropyBackward> cross_entropy_backward{"cross_entropy.backward"};
Work work_of(const CrossEntropyBackward& args);

/// Softmax cross-entropy against a distribution of classes for each row (torch.nn.functional.cross_entropy with class
/// probabilities as target):
///   loss = scale * sum_t sum_v q[t,v] (lse_t - x[t,v]),   a term whose q is 0 being 0
/// logits x [rows, vocab] of `dtype`; targets q [rows, vocab] f32 (f64); lse [rows] f32 (f64), kept for backward; loss
/// [1] f32 (f64). The sum over rows is taken in row order in f64.
struct SoftCrossEntropyForward {
  const void *logits, *targets;
  void *lse, *loss;
  int64_t rows, vocab;
  double scale;
  DType dtype;
};
inline Kernel<SoftCrossEntropyForward> soft_cross_entropy_forward{"soft_cross_entropy.forward"};
Work work_of(const SoftCrossEntropyForward& args);

/// dlogits[t,v] = dloss * scale * (exp(x[t,v] - lse_t) sum_u q[t,u] - q[t,v]). dloss [1] f32 (f64); dlogits may be
/// logits.
struct SoftCrossEntropyBackward {
  const void *logits, *targets, *lse, *dloss;
  void* dlogits;
  int64_t rows, vocab;
  double scale;
  DType dtype;
};
inline Kernel<SoftCrossEntropyBackward> soft_cross_entropy_backward{"soft_cross_entropy.backward"};
Work work_of(const SoftCrossEntropyBackward& args);

enum class PointwiseLoss : uint8_t { mse, bce_with_logits, l1, smooth_l1 };

/// loss = scale * sum_i l(x_i, target_i): mse (x - t)^2; bce_with_logits max(x,0) - x t + log(1 + exp(-|x|));
/// l1 |x - t|; smooth_l1 (x - t)^2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2.
/// x [count] of `dtype`, target [count] f32 (f64 for f64), loss [1] f32 (f64); summed in f64 in index order.
struct PointwiseLossForward {
  const void *x, *target;
  void* loss;
  int64_t count;
  double scale;
  PointwiseLoss kind;
  DType dtype;
  double beta = 1;  ///< of smooth_l1, above 0
};
inline Kernel<PointwiseLossForward> pointwise_loss_forward{"pointwise_loss.forward"};
Work work_of(const PointwiseLossForward& args);

/// dx_i = dloss * scale * l'(x_i, target_i): mse 2 (x - t); bce sigmoid(x) - t; l1 the sign of x - t, 0 where they are
/// equal; smooth_l1 (x - t) / max(|x - t|, beta).
struct PointwiseLossBackward {
  const void *x, *target, *dloss;
  void* dx;
  int64_t count;
  double scale;
  PointwiseLoss kind;
  DType dtype;
  double beta = 1;
};
inline Kernel<PointwiseLossBackward> pointwise_loss_backward{"pointwise_loss.backward"};
Work work_of(const PointwiseLossBackward& args);

}  // namespace suanli::kernels
