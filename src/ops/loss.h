#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

struct CrossEntropyOptions {
  int32_t ignore_index = -100;  ///< rows with this label count for nothing
  double label_smoothing = 0;   ///< 0 <= e < 1
  double normalizer = 0;        ///< the sum is divided by this; 0: by the number of counted rows (at least 1)
};

/// Softmax cross-entropy with label smoothing e (torch.nn.functional.cross_entropy):
///   loss = 1/n sum over counted t of (1-e) (lse_t - x[t,label_t]) + e (lse_t - mean_v x[t,v])
/// logits [T,V] floating; labels [T] i32 in 0..V-1 or ignore_index; loss [1] f32 (f64), summed in f64 in row order.
/// Gradient: logits. Throws UserError for a label outside, or an option outside its range.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

/// Softmax cross-entropy against a distribution of classes for each row (torch.nn.functional.cross_entropy with class
/// probabilities as target), for labels that are mixed or come from another model:
///   loss = 1/n sum_t sum_v q[t,v] (lse_t - x[t,v]),   a term whose q is 0 being 0
/// logits x [T,V] floating; targets q [T,V] f32 (f64 beside f64); n = normalizer, 0: the number of rows (at least 1);
/// loss [1] f32 (f64), summed in f64 in row order. Gradient: logits.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, double normalizer = 0);

struct DiceLossOptions {
  int32_t ignore_index = -100;  ///< pixels with this label count for nothing
  double smooth = 1;            ///< > 0: added above and below; keeps classes that a picture does not have quiet
  double normalizer = 0;        ///< the sum is divided by this; 0: by the number of counted pixels (at least 1)
};

/// Soft Dice loss of the classes of pixels (Milletari et al. 2016, V-Net, with plain sums below, as monai's
/// DiceLoss(softmax=True), which has smooth as smooth_nr = smooth_dr). With p = softmax(x), the sums over the counted
/// pixels i of picture b, and n_b their number:
///   D[b,c] = (2 sum_i p[i,c] [y_i = c] + smooth) / (sum_i p[i,c] + sum_i [y_i = c] + smooth)
///   loss = 1/n sum_b n_b (1 - mean_c D[b,c]): where all pixels count, the mean over pictures
/// logits x [pictures * P, V] floating; labels y [pictures * P] i32 in 0..V-1 or ignore_index; loss [1] f32 (f64),
/// summed in f64. Gradient: logits. Throws UserError for a label outside, or an option outside its range.
Tensor dice_loss(const Tensor& logits, const Tensor& labels, int64_t pictures, const DiceLossOptions& options = {});

struct FocalLossOptions {
  double gamma = 2;       ///< >= 0: how much rows that are sure already count less; 0: cross-entropy
  double normalizer = 0;  ///< the sum is divided by this; 0: by the number of rows (at least 1)
};

/// Focal loss of a softmax with a weight for each class (Lin et al. 2017, equation 5; for two classes
/// torchvision.ops.sigmoid_focal_loss of the difference of the logits):
///   loss = 1/n sum_t w[label_t] (1 - p_t)^gamma (-log p_t),   p_t = softmax(x[t])[label_t]
/// logits [T,V] floating; labels [T] i32 in 0..V-1; class_weights w [V] f32 (f64 beside f64), or undefined for ones;
/// loss [1] f32 (f64), summed in f64. n counts rows, not their weights, other than torch's cross_entropy(weight).
/// Gradient: logits. Throws UserError for a label outside, or an option outside its range.
Tensor focal_loss(const Tensor& logits, const Tensor& labels, const Tensor& class_weights,
                  const FocalLossOptions& options = {});

/// loss = 1/n sum_i (x_i - target_i)^2 (torch.nn.functional.mse_loss). x any shape, floating; target of the same shape,
/// f32 (f64 beside f64); n = normalizer, 0: the number of elements (at least 1). loss [1] f32 (f64). Gradient: x.
Tensor mse_loss(const Tensor& x, const Tensor& target, double normalizer = 0);

/// loss = 1/n sum_i |x_i - target_i| (torch.nn.functional.l1_loss), of slope 0 where they are equal. Shapes, n, dtypes
/// and gradient as for mse_loss.
Tensor l1_loss(const Tensor& x, const Tensor& target, double normalizer = 0);

/// loss = 1/n sum_i max(x,0) - x t + log(1 + exp(-|x|)) (torch.nn.functional.binary_cross_entropy_with_logits); targets
/// in 0..1. Shapes, n, dtypes and gradient as for mse_loss.
Tensor bce_with_logits(const Tensor& x, const Tensor& target, double normalizer = 0);

/// loss = 1/n sum_i d_i^2 / (2 beta) where d_i = |x_i - target_i| < beta, else d_i - beta / 2
/// (torch.nn.functional.smooth_l1_loss; Girshick 2015). Shapes, n, dtypes and gradient as for mse_loss. Throws
/// UserError for a beta that is not above 0.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, double beta, double normalizer = 0);

}  // namespace suanli::ops
