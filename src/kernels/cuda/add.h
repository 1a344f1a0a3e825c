/// What register.cpp calls: each function appends the CUDA kernels of one file to the lists of their ops.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels::cuda {

void add_activation();
void add_attention();
void add_attention_flash_backward();
void add_attention_flash_forward();
void add_attention_tiled_backward();
void add_attention_tiled_forward();
void add_batch_norm();
void add_cached_attention();
void add_column_sum();
void add_convolution();
void add_convolution_cudnn();
void add_cross_entropy();
void add_dice_loss();
void add_elementwise();
void add_embedding();
void add_focal_loss();
void add_layer_norm();
void add_layout();
void add_matmul();
void add_matmul_cublaslt();
void add_optimizer();
void add_pointwise_loss();
void add_pooling();
void add_pooling2d();
void add_quantized_matmul();
void add_recurrence();
void add_rows();
void add_upsample();
void add_rms_norm();
void add_roi_align();
void add_rotary_embedding();
void add_rows();
void add_swiglu();

/// The refusal that most kernels share.
inline Refusal refuse_not_floating(DType dtype) {
  return is_floating(dtype) ? nullptr : "dtype is none of f32, bf16, f16, f64";
}

/// For weights, biases and tables that may be kept in the dtype of sums: what MixedArray can read.
inline bool is_mixed(DType dtype, DType mixed) { return mixed == dtype || mixed == accumulation_dtype(dtype); }

/// can_run of a kernel for every floating dtype.
template <class Args>
Refusal any_floating(const Args& args, const Machine&) {
  return refuse_not_floating(args.dtype);
}

/// Appends `run` under the name "cuda".
template <class Args>
void add(Kernel<Args>& kernel, Refusal (*can_run)(const Args&, const Machine&), void (*run)(const Args&, Stream&)) {
  kernel.add({"cuda", DeviceType::cuda, can_run, run});
}

}  // namespace suanli::kernels::cuda
