#include "models/causal.h"

#include "base/error.h"
#include "ops/embedding.h"
#include "ops/linear.h"

namespace suanli::models {

Tensor CausalNetwork::hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const {
  return forward(sequences, mode, nullptr);
}

Tensor CausalNetwork::next_token_logits(const PackedSequences& sequences, const Tensor& rows, const nn::Mode& mode,
                                        TokenCache* cache) const {
  if (!head_.defined() && !quantized_head_.defined()) {
    return Network::next_token_logits(sequences, rows, mode, cache);
  }
  const Tensor x = ops::index_select(forward(sequences, mode, cache), rows);
  return quantized_head_.defined() ? ops::quantized_linear(x, quantized_head_, {}) : ops::linear(x, head_, {});
}

VocabularyHead CausalNetwork::next_token_head(const PackedSequences& sequences, const Tensor& rows,
                                              const nn::Mode& mode) const {
  if (!head_.defined()) return Network::next_token_head(sequences, rows, mode);
  return {ops::index_select(hidden_states(sequences, mode), rows), head_, {}};
}

void CausalNetwork::make_head(nn::ParameterScope scope, Head head, const nn::Embedding& word,
                              const HeadOptions& options, const char* family) {
  if (head != Head::none && head != Head::causal_lm) {
    throw UserError("model", std::string("expected the task causal-lm for ") + family + ", got another");
  }
  if (head == Head::none) return;
  const nn::ParameterScope own = scope / "head";
  const Shape shape = word.weight().shape();
  const nn::Initializer initializer = nn::normal(options.initializer_range);
  if (own.quantizes("weight")) {
    quantized_head_ =
        options.tied ? ops::quantize_weight(word.weight()) : own.get_quantized("weight", shape, initializer);
  } else {
    head_ = options.tied ? word.weight() : own.get("weight", shape, initializer);
  }
}

}  // namespace suanli::models
