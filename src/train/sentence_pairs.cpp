#include "train/sentence_pairs.h"

#include "base/error.h"
#include "models/sequences.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/pooling.h"

namespace suanli {

EncodedExample encode_pair(const TaskParts& parts, const Example& example, const std::string& where) {
  if (!example.has_pair) {
    throw UserError(where, "expected two texts for " + parts.kind.name + ", got one; name text_pair_column_name");
  }
  const EncodeOptions options = {.max_length = parts.options.max_length};
  EncodedExample out = tokenized(parts.tokenizer.encode(example.text, options));
  out.labels.assign(out.ids.size(), 0);
  const Encoding second = parts.tokenizer.encode(example.text_pair, options);
  out.ids.insert(out.ids.end(), second.ids.begin(), second.ids.end());
  out.types.insert(out.types.end(), second.types.begin(), second.types.end());
  out.special.insert(out.special.end(), second.special.begin(), second.special.end());
  out.labels.resize(out.ids.size(), 1);
  return out;
}

LossInputs pair_inputs(const Batch& batch) {
  std::vector<int32_t> offsets = {0}, positions;
  for (size_t b = 0; b + 1 < batch.offsets.size(); ++b) {
    const int32_t end = batch.offsets[b + 1];
    int32_t middle = batch.offsets[b];
    while (middle < end && batch.token_labels[static_cast<size_t>(middle)] == 0) ++middle;
    offsets.push_back(middle);
    offsets.push_back(end);
    for (size_t half = offsets.size() - 2; half < offsets.size(); ++half) {
      for (int32_t p = 0; p < offsets[half] - offsets[half - 1]; ++p) positions.push_back(p);
    }
  }
  std::vector<int32_t> rows;
  for (const int32_t half : {0, 1}) {
    for (int32_t b = 0; b < static_cast<int32_t>(batch.size()); ++b) rows.push_back(2 * b + half);
  }
  return {.packed = models::packed_array(batch.ids, batch.types, positions, offsets),
          .rows = integers(rows),
          .tokens = batch.tokens()};
}

Tensor unit_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const models::PackedSequences sequences = inputs.sequences();
  const Tensor hidden = parts.model->network->hidden_states(sequences, mode);
  const Tensor pooled = parts.options.mean_pooling ? ops::segment_mean(hidden, sequences.offsets)
                                                   : ops::index_select(hidden, models::first_tokens(sequences));
  return ops::normalize(ops::cast(pooled, DType::f32));
}

PairEmbeddings pair_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const Tensor unit = unit_embeddings(parts, inputs, mode);
  const int64_t pairs = inputs.rows.dim(0) / 2;
  return {ops::index_select(unit, inputs.rows.rows(0, pairs)),
          ops::index_select(unit, inputs.rows.rows(pairs, 2 * pairs))};
}

}  // namespace suanli
