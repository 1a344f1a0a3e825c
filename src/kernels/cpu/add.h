/// One function per file of kernels/cpu that adds its implementations to their lists; register.cpp calls them all.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

void add_matmul();
void add_matmul_packed();
void add_matmul_simd();
void add_matmul_amx();
void add_column_sum();
void add_layer_norm_forward();
void add_layer_norm_backward();
void add_activation();
void add_dice_loss();
void add_elementwise();
void add_rows();
void add_embedding();
void add_attention_amx();
void add_attention_forward();
void add_attention_backward();
void add_cached_attention();
void add_cross_entropy();
void add_pointwise_loss();
void add_focal_loss();
void add_pooling();
void add_im2row();
void add_convolution();
void add_pooling2d();
void add_batch_norm();
void add_layout();
void add_upsample();
void add_optimizer();
void add_pack_quantized();
void add_quantize_rows();
void add_quantized_matmul_amx();
void add_quantized_matmul_vnni();
void add_quantized_matmul_simd();
void add_recurrence();
void add_rms_norm();
void add_roi_align();
void add_rotary_embedding();
void add_swiglu();

/// What every SIMD kernel asks: AVX2, and a dtype that it is compiled for.
inline Refusal refuse_unless_simd(const Machine& machine, DType dtype) {
  if (machine.isa == Isa::scalar) return "needs AVX2";
  if (dtype != DType::f32 && dtype != DType::bf16) return "dtype is neither f32 nor bf16";
  return nullptr;
}

}  // namespace suanli::kernels
