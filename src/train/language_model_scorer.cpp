#include "train/language_model_scorer.h"

#include "autograd/tape.h"
#include "ops/loss.h"

namespace suanli {

void LanguageModelScorer::add(const Batch& batch, const nn::Mode& mode) {
  const NoGradient guard;
  const LossInputs inputs = inputs_(model_, batch);
  if (inputs.rows.dim(0) == 0) return;
  const Tensor logits = logits_(model_, inputs, mode);
  const int64_t count = logits.dim(0), vocabulary = logits.dim(1);
  loss_.add(number_of(ops::cross_entropy(logits, inputs.labels)), static_cast<double>(count));
  const std::vector<float> values = host_values(logits);
  for (int64_t i = 0; i < count; ++i) {
    right_ += largest(values, i, vocabulary) == inputs.labels.host<int32_t>()[static_cast<size_t>(i)] ? 1 : 0;
  }
}

Scores LanguageModelScorer::scores() const {
  return {{"loss", loss_.mean()},
          {"accuracy", static_cast<double>(right_) / loss_.weight()},
          {"perplexity", loss_.perplexity()}};
}

}  // namespace suanli
