#include "models/recurrent/recurrent.h"

#include "base/error.h"
#include "ops/cast.h"
#include "ops/pooling.h"

namespace suanli::models {

Recurrent::Recurrent(nn::ParameterScope scope, const RecurrentConfig& config, Head head)
    : pooling_(config.pooling),
      embedding_(scope / "embedding", config.vocab_size, config.embedding_dim, nn::normal(1)),
      rnn_(scope / "rnn", config.recurrence),
      dropout_{config.recurrence.dropout, scope.next_site()} {
  if (head == Head::none) return;
  if (head != Head::sequence_classification) {
    throw UserError("model", "expected the task text-classification or regression for a recurrent model");
  }
  if (config.labels.empty()) {
    throw UserError("config.json", "expected id2label or num_labels for a classifier, got none");
  }
  classifier_.emplace(scope / "classifier", config.recurrence.directions() * config.hidden_size,
                      static_cast<int64_t>(config.labels.size()));
}

nn::Recurrence::Output Recurrent::run(const PackedSequences& sequences, const nn::Mode& mode) const {
  return rnn_(embedding_(sequences.ids, mode.dtype), sequences.offsets, mode);
}

Tensor Recurrent::hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const {
  return run(sequences, mode).y;
}

Tensor Recurrent::sequence_logits(const PackedSequences& sequences, const nn::Mode& mode) const {
  if (!classifier_) return Network::sequence_logits(sequences, mode);
  const nn::Recurrence::Output out = run(sequences, mode);
  const Tensor pooled = pooling_ == Pooling::last ? out.last.back().h : ops::segment_mean(out.y, sequences.offsets);
  return ops::cast((*classifier_)(dropout_(pooled, mode)), DType::f32);
}

}  // namespace suanli::models
