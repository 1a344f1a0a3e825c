#include "models/network.h"

#include <string>

#include "base/error.h"

namespace suanli::models {
namespace {

[[noreturn]] void wrong_kind(const char* wanted) {
  throw UserError("model", std::string("expected ") + wanted + ", got one of another kind; see its config.json");
}

}  // namespace

Tensor Network::hidden_states(const PackedSequences&, const nn::Mode&) const { wrong_kind("an encoder of texts"); }

VocabularyHead Network::masked_lm_head(const PackedSequences&, const Tensor&, const nn::Mode&) const {
  wrong_kind("a masked language model");
}

Tensor Network::sequence_logits(const PackedSequences&, const nn::Mode&) const { wrong_kind("a classifier of texts"); }

Tensor Network::token_logits(const PackedSequences&, const nn::Mode&) const { wrong_kind("a classifier of tokens"); }

Tensor Network::word_vectors(const PackedSequences&) const { wrong_kind("an encoder with word embeddings"); }

Tensor Network::sequence_logits_of(const Tensor&, const PackedSequences&, const nn::Mode&) const {
  wrong_kind("a classifier of texts with word embeddings");
}

Tensor Network::span_logits(const PackedSequences&, const nn::Mode&) const {
  wrong_kind("a model that answers questions");
}

Tensor Network::image_logits(const Tensor&, const nn::Mode&) const { wrong_kind("a classifier of images"); }
Tensor Network::pixel_logits(const Tensor&, const nn::Mode&) const { wrong_kind("a model that labels pixels"); }
DetectionLosses Network::detection_losses(const Tensor&, const DetectionTargets&, const nn::Mode&) const {
  wrong_kind("a detector of objects");
}
std::vector<std::vector<Detection>> Network::detect(const Tensor&, const nn::Mode&) const {
  wrong_kind("a detector of objects");
}
Tensor Network::enlarged_pixels(const Tensor&, const nn::Mode&) const { wrong_kind("a model that enlarges pictures"); }
Tensor Network::heat_maps(const Tensor&, const nn::Mode&) const { wrong_kind("a model that finds key points"); }
Tensor Network::image_features(const Tensor&, const nn::Mode&) const {
  wrong_kind("a classifier of images with features: a LeNet or ResNet");
}
Tensor Network::generated_images(const Tensor&, const nn::Mode&) const { wrong_kind("a generator of images"); }
Tensor Network::realness_logits(const Tensor&, const nn::Mode&, bool) const { wrong_kind("a generator of images"); }
Tensor Network::row_logits(const Tensor&, const Tensor&, const nn::Mode&) const { wrong_kind("a model of tables"); }

Tensor Network::item_vectors(const Tensor&, const Tensor&, const nn::Mode&) const { wrong_kind("a recommender"); }
Tensor Network::user_vectors(const Tensor&, const Tensor&, const nn::Mode&) const { wrong_kind("a recommender"); }

VocabularyHead Network::next_token_head(const PackedSequences&, const Tensor&, const nn::Mode&) const {
  wrong_kind("a causal language model");
}
Tensor Network::next_token_logits(const PackedSequences&, const Tensor&, const nn::Mode&, TokenCache*) const {
  wrong_kind("a causal language model");
}

TokenCache Network::new_cache(int64_t, int64_t, DType) const { wrong_kind("a causal language model"); }

void Network::set_gradient_checkpointing(bool on) {
  if (on) wrong_kind("a model that supports gradient_checkpointing");
}

}  // namespace suanli::models
