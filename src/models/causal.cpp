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
  if (!head_.defined()) return Network::next_token_logits(sequences, rows, mode, cache);
  return ops::linear(ops::index_select(forward(sequences, mode, cache), rows), head_, {});
}

void CausalNetwork::make_head(nn::ParameterScope scope, Head head, const nn::Embedding& word,
                              const HeadOptions& options, const char* family) {
  if (head != Head::none && head != Head::causal_lm) {
    throw UserError("model", std::string("expected the task causal-lm for ") + family + ", got another");
  }
  if (head == Head::none) return;
  head_ = options.tied ? word.weight()
                       : (scope / "head").get("weight", word.weight().shape(), nn::normal(options.initializer_range));
}

}  // namespace suanli::models
