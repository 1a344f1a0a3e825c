/// Soft Dice loss of the pixels of pictures.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// Soft Dice loss (Milletari et al. 2016 with plain sums below, as monai.losses.DiceLoss(softmax=True)). With
/// p = softmax(x), sums over the counted pixels i of picture b, and n_b their number:
///   D[b,c] = (2 sum_i p[i,c] [y_i = c] + smooth) / (sum_i p[i,c] + sum_i [y_i = c] + smooth) = O[b,c] / S[b,c]
///   loss = scale * sum_b n_b (1 - mean_c D[b,c])
/// logits x [pictures * pixels, classes] of `dtype`; labels y [pictures * pixels] i32 in 0..classes-1 or `ignore`.
/// For backward are kept, all f32 (f64): lse [pictures * pixels]; all [pictures, classes] = n_b O / (classes S^2);
/// own [pictures, classes] = 2 n_b / (classes S). loss [1] f32 (f64). Sums are taken in f64.
struct DiceLossForward {
  const void* logits;
  const int32_t* labels;
  void *lse, *all, *own, *loss;
  int64_t pictures, pixels, classes;
  int32_t ignore;
  double smooth, scale;
  DType dtype;
};
inline Kernel<DiceLossForward> dice_loss_forward{"dice_loss.forward"};
Work work_of(const DiceLossForward& args);

/// With the slope of the loss in p, g[i,c] = all[b,c] - [y_i = c] own[b,c]:
///   dlogits[i,v] = dloss * scale * p[i,v] (g[i,v] - sum_c p[i,c] g[i,c]), 0 for ignored pixels.
/// dloss [1] f32 (f64); dlogits may be logits.
struct DiceLossBackward {
  const void *logits, *lse, *all, *own, *dloss;
  const int32_t* labels;
  void* dlogits;
  int64_t pictures, pixels, classes;
  int32_t ignore;
  double scale;
  DType dtype;
};
inline Kernel<DiceLossBackward> dice_loss_backward{"dice_loss.backward"};
Work work_of(const DiceLossBackward& args);

}  // namespace suanli::kernels
