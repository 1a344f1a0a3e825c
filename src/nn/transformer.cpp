#include "nn/transformer.h"

#include "ops/attention.h"

namespace suanli::nn {

SelfAttention::SelfAttention(ParameterScope scope, const EncoderLayerOptions& o)
    : heads_(o.heads),
      dropout_{o.attention_dropout, scope.next_site()},
      qkv_(scope / "qkv", o.hidden, 3 * o.hidden, normal(o.initializer_range), zeros()),
      output_(scope / "output", o.hidden, o.hidden, normal(o.initializer_range), zeros()) {}

Tensor SelfAttention::operator()(const Tensor& x, const Tensor& offsets, const Mode& mode) const {
  return output_(ops::attention(qkv_(x, mode), offsets, heads_, dropout_.key(mode)), mode);
}

EncoderLayer::EncoderLayer(ParameterScope scope, const EncoderLayerOptions& o)
    : attention_(scope / "attention", o),
      attention_norm_(scope / "attention.norm", o.hidden, o.norm_eps),
      up_(scope / "up", o.hidden, o.intermediate, normal(o.initializer_range), zeros()),
      down_(scope / "down", o.intermediate, o.hidden, normal(o.initializer_range), zeros()),
      output_norm_(scope / "norm", o.hidden, o.norm_eps),
      attention_dropout_{o.dropout, scope.next_site()},
      output_dropout_{o.dropout, scope.next_site()},
      activation_(o.activation) {}

Tensor EncoderLayer::operator()(const Tensor& x, const Tensor& offsets, const Mode& mode) const {
  const Tensor attended = attention_norm_(attention_(x, offsets, mode), x, attention_dropout_.key(mode));
  return output_norm_(feed_forward(attended, up_, activation_, down_, mode), attended, output_dropout_.key(mode));
}

}  // namespace suanli::nn
