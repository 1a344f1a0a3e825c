#include "train/sentence_pairs.h"

#include "base/error.h"
#include "models/sequences.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/pooling.h"

namespace suanli {

namespace {

/// Puts `text` behind the texts that are there as number `number`.
void append_text(const TaskParts& parts, const std::string& text, int32_t number, EncodedExample* out) {
  const Encoding encoding = parts.tokenizer.encode(text, {.max_length = parts.options.max_length});
  out->ids.insert(out->ids.end(), encoding.ids.begin(), encoding.ids.end());
  out->types.insert(out->types.end(), encoding.types.begin(), encoding.types.end());
  out->special.insert(out->special.end(), encoding.special.begin(), encoding.special.end());
  out->labels.resize(out->ids.size(), number);
}

}  // namespace

EncodedExample encode_pair(const TaskParts& parts, const Example& example, const std::string& where) {
  if (!example.has_pair) {
    throw UserError(where, "expected two texts for " + parts.kind.name + ", got one; name text_pair_column_name");
  }
  EncodedExample out;
  append_text(parts, example.text, 0, &out);
  append_text(parts, example.text_pair, 1, &out);
  return out;
}

EncodedExample encode_triplet(const TaskParts& parts, const Example& example, const std::string& where) {
  EncodedExample out = encode_pair(parts, example, where);
  if (example.negative.empty()) throw UserError(where, "expected a text in the column of negatives, got none");
  append_text(parts, example.negative, 2, &out);
  return out;
}

LossInputs text_inputs(const Batch& batch, int32_t texts) {
  std::vector<int32_t> offsets = {0}, positions;
  for (size_t b = 0; b + 1 < batch.offsets.size(); ++b) {
    int32_t place = batch.offsets[b];
    for (int32_t text = 0; text < texts; ++text) {
      const int32_t begin = place;
      while (place < batch.offsets[b + 1] && batch.token_labels[static_cast<size_t>(place)] == text) {
        positions.push_back(place++ - begin);
      }
      offsets.push_back(place);
    }
  }
  std::vector<int32_t> rows;
  for (int32_t text = 0; text < texts; ++text) {
    for (int32_t b = 0; b < static_cast<int32_t>(batch.size()); ++b) rows.push_back(texts * b + text);
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

Tensor embeddings_of_text(const Tensor& all, const LossInputs& inputs, int64_t i, int64_t texts) {
  const int64_t count = inputs.rows.dim(0) / texts;
  return ops::index_select(all, inputs.rows.rows(i * count, (i + 1) * count));
}

PairEmbeddings pair_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const Tensor unit = unit_embeddings(parts, inputs, mode);
  return {embeddings_of_text(unit, inputs, 0, 2), embeddings_of_text(unit, inputs, 1, 2)};
}

}  // namespace suanli
