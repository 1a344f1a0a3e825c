#include "kernels/cpu/register.h"

#include "kernels/cpu/add.h"
#include "kernels/cpu/targets.h"
#include "kernels/machine.h"

#include <hwy/highway.h>

namespace suanli::kernels {

void register_cpu() {
  // SUANLI_ISA caps what Highway may dispatch to; the scalar cap is a refusal of each kernel.
  if (machine().isa < Isa::avx512) hwy::DisableTargets(HWY_AVX3);
  add_matmul();
  add_column_sum();
  add_layer_norm_forward();
  add_layer_norm_backward();
  add_activation();
  add_elementwise();
  add_rows();
  add_embedding();
  add_attention_amx();
  add_attention_forward();
  add_attention_backward();
  add_cached_attention();
  add_cross_entropy();
  add_pointwise_loss();
  add_dice_loss();
  add_focal_loss();
  add_pooling();
  add_im2row();
  add_convolution();
  add_pooling2d();
  add_batch_norm();
  add_layout();
  add_upsample();
  add_optimizer();
  add_pack_quantized();
  add_quantize_rows();
  add_quantized_matmul_amx();
  add_quantized_matmul_vnni();
  add_quantized_matmul_simd();
  add_recurrence();
  add_rms_norm();
  add_roi_align();
  add_rotary_embedding();
  add_swiglu();
}

}  // namespace suanli::kernels
