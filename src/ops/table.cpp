#include "ops/table.h"

namespace suanli::ops {

namespace {
constexpr OpRow kTable[] = {
    {"add", "torch.add", nullptr},
    {"attention", "torch.nn.functional.scaled_dot_product_attention", nullptr},
    {"avg_pool2d", "torch.nn.functional.avg_pool2d", nullptr},
    {"batch_norm", "torch.nn.functional.batch_norm", nullptr},
    {"batch_norm_relu", "torch.nn.functional.batch_norm", "relu(batch_norm(x))"},
    {"bce_with_logits", "torch.nn.functional.binary_cross_entropy_with_logits", nullptr},
    {"cached_attention", "torch.nn.functional.scaled_dot_product_attention", nullptr, "it overwrites its cache"},
    {"cast", "torch.Tensor.to", nullptr},
    {"cat", "torch.cat", nullptr},
    {"channels_first", "torch.permute", nullptr},
    {"channels_last", "torch.permute", nullptr},
    {"conv2d", "torch.nn.functional.conv2d", nullptr},
    {"conv_transpose2d", "torch.nn.functional.conv_transpose2d", nullptr},
    {"cross_entropy", "torch.nn.functional.cross_entropy", nullptr},
    {"dice_loss", "monai.losses.DiceLoss", nullptr},
    {"dropout", "torch.nn.functional.dropout", nullptr},
    {"dropout_add_layer_norm", "torch.nn.functional.layer_norm", "layer_norm(add(residual, dropout(x)))"},
    {"embedding", "torch.nn.functional.embedding", nullptr},
    {"feed_forward", "torch.nn.functional.linear", "linear(gelu(linear(x)))"},
    {"focal_loss", "torchvision.ops.sigmoid_focal_loss", nullptr},
    {"gelu", "torch.nn.functional.gelu", nullptr},
    {"gelu_tanh", "torch.nn.functional.gelu", nullptr},
    {"gru", "torch.nn.GRU", nullptr},
    {"index_select", "torch.index_select", nullptr},
    {"l1_loss", "torch.nn.functional.l1_loss", nullptr},
    {"layer_norm", "torch.nn.functional.layer_norm", nullptr},
    {"linear", "torch.nn.functional.linear", nullptr},
    {"linear_cross_entropy", "torch.nn.functional.cross_entropy", "cross_entropy(linear(x))"},
    {"lstm", "torch.nn.LSTM", nullptr},
    {"max_pool2d", "torch.nn.functional.max_pool2d", nullptr},
    {"mse_loss", "torch.nn.functional.mse_loss", nullptr},
    {"multiply", "torch.mul", nullptr},
    {"normalize", "torch.nn.functional.normalize", nullptr},
    {"pixel_shuffle", "torch.nn.functional.pixel_shuffle", nullptr},
    {"quantized_linear", "torch.fake_quantize_per_channel_affine", nullptr, "rounding to 8 bits is flat"},
    {"relu", "torch.nn.functional.relu", nullptr},
    {"relu6", "torch.nn.functional.relu6", nullptr},
    {"reshape", "torch.reshape", nullptr},
    {"rms_norm", "torch.nn.functional.rms_norm", nullptr},
    {"rnn", "torch.nn.RNN", nullptr},
    {"roi_align", "torchvision.ops.roi_align", nullptr},
    {"rotary_embedding", "transformers.models.llama.modeling_llama.apply_rotary_pos_emb", nullptr},
    {"row_dot", "torch.linalg.vecdot", nullptr},
    {"scale", "torch.mul", nullptr},
    {"segment_mean", "torch.mean", nullptr},
    {"sigmoid", "torch.sigmoid", nullptr},
    {"smooth_l1_loss", "torch.nn.functional.smooth_l1_loss", nullptr},
    {"soft_cross_entropy", "torch.nn.functional.cross_entropy", nullptr},
    {"swiglu", "torch.nn.functional.silu", nullptr},
    {"tanh", "torch.tanh", nullptr},
    {"upsample", "torch.nn.functional.interpolate", nullptr},
};
}  // namespace

std::span<const OpRow> op_table() { return kTable; }

}  // namespace suanli::ops
