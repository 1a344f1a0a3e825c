#include "train/language_model_scorer.h"

#include <algorithm>

#include "autograd/tape.h"
#include "ops/linear_cross_entropy.h"

namespace suanli {

void LanguageModelScorer::add(const Batch& batch, const nn::Mode& mode) {
  const NoGradient guard;
  const LossInputs inputs = inputs_(model_, batch);
  const int64_t count = inputs.rows.dim(0);
  if (count == 0) return;
  const models::VocabularyHead head = head_(model_, inputs, mode);
  const int64_t chunk = ops::rows_of_logits(head.vocabulary());
  for (int64_t begin = 0; begin < count; begin += chunk) {
    const int64_t end = std::min(count, begin + chunk);
    add(head.rows(begin, end).logits(), inputs.labels.rows(begin, end));
  }
}

void LanguageModelScorer::add(const Tensor& logits, const Tensor& labels) {
  loss_.add(number_of(ops::cross_entropy(logits, labels)), static_cast<double>(labels.dim(0)));
  const std::vector<float> values = host_values(logits);
  for (int64_t i = 0; i < labels.dim(0); ++i) {
    right_ += largest(values, i, logits.dim(1)) == labels.host<int32_t>()[static_cast<size_t>(i)] ? 1 : 0;
  }
}

Scores LanguageModelScorer::scores() const {
  return {{"loss", loss_.mean()},
          {"accuracy", static_cast<double>(right_) / loss_.weight()},
          {"perplexity", loss_.perplexity()}};
}

}  // namespace suanli
