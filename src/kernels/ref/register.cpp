#include "kernels/ref/register.h"

#include "kernels/ref/ref.h"

namespace suanli::kernels {

namespace {

constexpr Refusal kNotFloating = "every dtype must be f32, bf16, f16 or f64";
constexpr Refusal kTooDeep = "sums over so large a K might not fit 32 bits";
constexpr Refusal kNotFull = "optimizer state must be f32 or f64";

/// True when every dtype among the arguments is floating.
template <class Args>
bool all_floating(const Args& args) {
  if constexpr (requires { args.from; }) {
    return is_floating(args.from) && is_floating(args.to);
  } else {
    bool all = true;
    if constexpr (requires { args.dtype; }) all = is_floating(args.dtype);
    if constexpr (requires { args.weight_dtype; }) all = all && is_floating(args.weight_dtype);
    if constexpr (requires { args.table_dtype; }) all = all && is_floating(args.table_dtype);
    if constexpr (requires { args.c_dtype; }) all = all && is_floating(args.c_dtype);
    if constexpr (requires { args.bias_dtype; }) all = all && (args.bias == nullptr || is_floating(args.bias_dtype));
    return all;
  }
}

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  if (!all_floating(args)) return kNotFloating;
  if constexpr (requires { args.tensors; }) {
    if (args.dtype != DType::f32 && args.dtype != DType::f64) return kNotFull;
  }
  if constexpr (requires { args.a_scale; }) {
    if (args.k > kMostQuantizedDepth) return kTooDeep;
  }
  return nullptr;
}

template <class Args>
void add(Kernel<Args>& kernel) {
  kernel.add({"ref", DeviceType::cpu, &can_run<Args>, static_cast<void (*)(const Args&, Stream&)>(&ref::run)});
}

}  // namespace

void register_ref() {
  add(activation_forward);
  add(activation_backward);
  add(dropout);
  add(binary);
  add(scale);
  add(cast);
  add(row_dot);
  add(row_scale);
  add(matmul);
  add(column_sum);
  add(embedding_forward);
  add(embedding_backward);
  add(layer_norm_forward);
  add(layer_norm_backward);
  add(attention_forward);
  add(attention_backward);
  add(cache_append);
  add(cached_attention);
  add(cross_entropy_forward);
  add(cross_entropy_backward);
  add(soft_cross_entropy_forward);
  add(soft_cross_entropy_backward);
  add(pointwise_loss_forward);
  add(pointwise_loss_backward);
  add(dice_loss_forward);
  add(dice_loss_backward);
  add(focal_loss_forward);
  add(focal_loss_backward);
  add(segment_mean_forward);
  add(segment_mean_backward);
  add(normalize_forward);
  add(normalize_backward);
  add(im2row);
  add(row2im);
  add(depthwise_forward);
  add(depthwise_backward);
  add(depthwise_weight);
  add(convolution_forward);
  add(convolution_backward);
  add(convolution_weight);
  add(max_pool_forward);
  add(max_pool_backward);
  add(avg_pool_forward);
  add(avg_pool_backward);
  add(batch_norm_statistics);
  add(batch_norm_rstd);
  add(batch_norm_forward);
  add(batch_norm_sums);
  add(batch_norm_backward);
  add(copy_columns);
  add(transpose);
  add(pixel_shuffle);
  add(upsample_forward);
  add(upsample_backward);
  add(adamw_step);
  add(sgd_step);
  add(sums_of_squares);
  add(clipping_factor);
  add(quantize_rows);
  add(pack_quantized);
  add(quantized_matmul);
  add(recurrent_forward);
  add(recurrent_backward);
  add(rms_norm_forward);
  add(rms_norm_backward);
  add(roi_align_forward);
  add(roi_align_backward);
  add(rotary_embedding);
  add(swiglu_forward);
  add(swiglu_backward);
}

}  // namespace suanli::kernels
