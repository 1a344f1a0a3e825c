#include "models/vit/vit.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/layout.h"

namespace suanli::models {

namespace {

nn::Linear new_linear(nn::ParameterScope scope, int64_t in, int64_t out, double range) {
  return nn::Linear(scope, in, out, nn::normal(range), nn::zeros());
}

/// row [..., W] of one row, for each of `count` images: [count, W] in `dtype`.
Tensor repeated(const Tensor& row, int64_t count, DType dtype) {
  const Tensor zeros = Tensor::zeros({count}, DType::i32);
  zeros.make_constant();
  return ops::embedding(ops::reshape(row, {1, row.elements()}), zeros, dtype);
}

/// [images+1] i32, each of `tokens` tokens.
Tensor equal_sequences(int64_t images, int64_t tokens) {
  Tensor offsets = Tensor::empty({images + 1}, DType::i32);
  int32_t next = 0;
  for (int32_t& offset : offsets.host<int32_t>()) {
    offset = next;
    next += static_cast<int32_t>(tokens);
  }
  offsets.make_constant();
  return offsets;
}

}  // namespace

VitLayer::VitLayer(nn::ParameterScope scope, const nn::EncoderLayerOptions& o)
    : attention_norm_(scope / "attention.norm", o.hidden, o.norm_eps),
      attention_(scope / "attention", o),
      norm_(scope / "norm", o.hidden, o.norm_eps),
      up_(new_linear(scope / "up", o.hidden, o.intermediate, o.initializer_range)),
      down_(new_linear(scope / "down", o.intermediate, o.hidden, o.initializer_range)),
      attention_dropout_{o.dropout, scope.next_site()},
      output_dropout_{o.dropout, scope.next_site()},
      activation_(o.activation) {}

Tensor VitLayer::operator()(const Tensor& x, const Tensor& offsets, const nn::Mode& mode) const {
  const Tensor sum = ops::add(x, attention_dropout_(attention_(attention_norm_(x), offsets, mode), mode));
  return ops::add(sum, output_dropout_(feed_forward(norm_(sum), up_, activation_, down_), mode));
}

Vit::Vit(nn::ParameterScope scope, const VitConfig& c)
    : config_(c),
      patches_(scope / "embeddings.patch", c.channels, c.hidden_size,
               {.kernel = c.patch_size,
                .window = {.stride = {c.patch_size, c.patch_size}},
                .bias = true,
                .weight = nn::normal(c.layer.initializer_range)}),
      class_token_(
          (scope / "embeddings").get("cls_token", {1, 1, c.hidden_size}, nn::normal(c.layer.initializer_range))),
      positions_(
          (scope / "embeddings")
              .get("position_embeddings", {1, c.tokens(), c.hidden_size}, nn::normal(c.layer.initializer_range))),
      dropout_{c.layer.dropout, scope.next_site()},
      layers_([&] {
        std::vector<VitLayer> layers;
        for (int64_t i = 0; i < c.layers; ++i) layers.emplace_back(scope / ("layer." + std::to_string(i)), c.layer);
        return layers;
      }()),
      norm_(scope / "norm", c.hidden_size, c.layer.norm_eps),
      classifier_(new_linear(scope / "classifier", c.hidden_size, label_count(c), c.layer.initializer_range)) {}

Tensor Vit::embed(const Tensor& pixels, const nn::Mode& mode) const {
  const int64_t images = pixels.dim(0), width = config_.hidden_size, tokens = config_.tokens();
  const Tensor patches = ops::reshape(patches_(ops::cast(pixels, mode.dtype)), {images, (tokens - 1) * width});
  const Tensor sequences = ops::cat(repeated(class_token_, images, mode.dtype), patches);
  const Tensor sum = ops::add(sequences, repeated(positions_, images, mode.dtype));
  return dropout_(ops::reshape(sum, {images * tokens, width}), mode);
}

Tensor Vit::image_logits(const Tensor& pixels, const nn::Mode& mode) const {
  if (pixels.dim(1) != config_.image_size || pixels.dim(2) != config_.image_size) {
    throw UserError("vit", concat("expected images of ", config_.image_size, " x ", config_.image_size,
                                  " pixels, as config.json says, got ", pixels.dim(1), " x ", pixels.dim(2)));
  }
  const Tensor offsets = equal_sequences(pixels.dim(0), config_.tokens());
  Tensor x = embed(pixels, mode);
  for (const VitLayer& layer : layers_) {
    const auto run = [&layer, offsets, mode](const Tensor& input) { return layer(input, offsets, mode); };
    x = gradient_checkpointing_ ? recompute(run, x) : run(x);
  }
  const Tensor class_tokens = ops::index_select(x, offsets.rows(0, pixels.dim(0)));
  return ops::cast(classifier_(norm_(class_tokens)), DType::f32);
}

}  // namespace suanli::models
