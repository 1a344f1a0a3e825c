#include "ops/table.h"

namespace suanli::ops {

namespace {
constexpr OpRow kTable[] = {
    {"add", "torch.add", nullptr},
    {"attention", "torch.nn.functional.scaled_dot_product_attention", nullptr},
    {"bce_with_logits", "torch.nn.functional.binary_cross_entropy_with_logits", nullptr},
    {"cast", "torch.Tensor.to", nullptr},
    {"cross_entropy", "torch.nn.functional.cross_entropy", nullptr},
    {"dropout", "torch.nn.functional.dropout", nullptr},
    {"dropout_add_layer_norm", "torch.nn.functional.layer_norm", "layer_norm(add(residual, dropout(x)))"},
    {"embedding", "torch.nn.functional.embedding", nullptr},
    {"feed_forward", "torch.nn.functional.linear", "linear(gelu(linear(x)))"},
    {"gelu", "torch.nn.functional.gelu", nullptr},
    {"gelu_tanh", "torch.nn.functional.gelu", nullptr},
    {"index_select", "torch.index_select", nullptr},
    {"layer_norm", "torch.nn.functional.layer_norm", nullptr},
    {"linear", "torch.nn.functional.linear", nullptr},
    {"mse_loss", "torch.nn.functional.mse_loss", nullptr},
    {"multiply", "torch.mul", nullptr},
    {"normalize", "torch.nn.functional.normalize", nullptr},
    {"relu", "torch.nn.functional.relu", nullptr},
    {"row_dot", "torch.linalg.vecdot", nullptr},
    {"scale", "torch.mul", nullptr},
    {"segment_mean", "torch.mean", nullptr},
    {"sigmoid", "torch.sigmoid", nullptr},
    {"tanh", "torch.tanh", nullptr},
};
}  // namespace

std::span<const OpRow> op_table() { return kTable; }

}  // namespace suanli::ops
