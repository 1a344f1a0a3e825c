#include "kernels/cuda/register.h"

#include "kernels/cuda/add.h"
#include "tensor/cuda/cuda_backend.h"

namespace suanli::kernels {

void register_cuda() {
  suanli::cuda::register_cuda_devices();
  cuda::add_matmul();
  cuda::add_column_sum();
  cuda::add_layer_norm();
  cuda::add_activation();
  cuda::add_elementwise();
  cuda::add_rows();
  cuda::add_embedding();
  cuda::add_attention();
  cuda::add_cached_attention();
  cuda::add_cross_entropy();
  cuda::add_pointwise_loss();
  cuda::add_dice_loss();
  cuda::add_focal_loss();
  cuda::add_pooling();
  cuda::add_convolution();
  cuda::add_convolution_cudnn();
  cuda::add_pooling2d();
  cuda::add_batch_norm();
  cuda::add_layout();
  cuda::add_upsample();
  cuda::add_optimizer();
  cuda::add_quantized_matmul();
  cuda::add_recurrence();
  cuda::add_rms_norm();
  cuda::add_roi_align();
  cuda::add_rotary_embedding();
  cuda::add_swiglu();
}

}  // namespace suanli::kernels
