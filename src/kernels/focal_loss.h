/// Focal loss of a softmax with a weight for each class.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// Focal loss (Lin et al. 2017, equation 5, for any number of classes):
///   loss = scale * sum_t  w[y_t] (1 - p_t)^gamma (-log p_t),   log p_t = x[t,y_t] - lse_t
/// logits [rows, classes] of `dtype`; labels y [rows] i32 in 0..classes-1; weights w [classes] f32 (f64), or null for
/// ones; lse [rows] f32 (f64), kept for backward; loss [1] f32 (f64), summed in f64. gamma 0: cross-entropy, weighted.
struct FocalLossForward {
  const void* logits;
  const int32_t* labels;
  const void* weights;
  void *lse, *loss;
  int64_t rows, classes;
  double gamma, scale;
  DType dtype;
};
inline Kernel<FocalLossForward> focal_loss_forward{"focal_loss.forward"};
Work work_of(const FocalLossForward& args);

/// With q = 1 - p_t and s = w[y_t] (gamma p_t log(p_t) q^(gamma-1) - q^gamma), the slope of a row in log p_t:
///   dlogits[t,v] = dloss * scale * s ([v = y_t] - exp(x[t,v] - lse_t));   the first term of s is 0 where q is.
/// dloss [1] f32 (f64); dlogits may be logits.
struct FocalLossBackward {
  const void *logits, *lse, *dloss;
  const int32_t* labels;
  const void* weights;
  void* dlogits;
  int64_t rows, classes;
  double gamma, scale;
  DType dtype;
};
inline Kernel<FocalLossBackward> focal_loss_backward{"focal_loss.backward"};
Work work_of(const FocalLossBackward& args);

}  // namespace suanli::kernels
