#include "infer/engine.h"

#include <algorithm>
#include <numeric>

#include "autograd/tape.h"
#include "base/profile.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/pooling.h"

namespace suanli::infer {

namespace {

models::PackedSequences pack(std::span<const TokenSequence> sequences, std::span<const size_t> chosen) {
  std::vector<int32_t> ids, types, positions, offsets = {0};
  for (const size_t i : chosen) {
    const TokenSequence& sequence = sequences[i];
    ids.insert(ids.end(), sequence.ids.begin(), sequence.ids.end());
    types.insert(types.end(), sequence.types.begin(), sequence.types.end());
    for (size_t place = 0; place < sequence.ids.size(); ++place) positions.push_back(static_cast<int32_t>(place));
    offsets.push_back(static_cast<int32_t>(ids.size()));
  }
  return models::pack(ids, types, positions, offsets);
}

/// The packed places of `id`.
Tensor rows_of(const Tensor& ids, int32_t id) {
  std::vector<int32_t> rows;
  const auto all = ids.host<int32_t>();
  for (size_t t = 0; t < all.size(); ++t) {
    if (all[t] == id) rows.push_back(static_cast<int32_t>(t));
  }
  return Tensor::from(rows, {static_cast<int64_t>(rows.size())});
}

/// How many rows of the output belong to one sequence.
int64_t rows_for(const TokenSequence& sequence, Output output, int32_t mask_id) {
  switch (output) {
    case Output::token_logits:
      return static_cast<int64_t>(sequence.ids.size());
    case Output::masked_lm:
      return std::ranges::count(sequence.ids, mask_id);
    default:
      return 1;
  }
}

}  // namespace

std::vector<std::vector<size_t>> plan_batches(std::span<const int64_t> lengths, int64_t tokens_per_batch) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](size_t i) { return lengths[i]; });
  std::vector<std::vector<size_t>> batches;
  int64_t tokens = 0;
  for (const size_t i : order) {
    if (batches.empty() || tokens + lengths[i] > tokens_per_batch) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(i);
    tokens += lengths[i];
  }
  return batches;
}

Tensor Engine::forward(const models::PackedSequences& packed, Output output) const {
  const ProfileScope scope("forward");
  const nn::Mode mode{.dtype = options_.dtype};
  switch (output) {
    case Output::sequence_logits:
      return model_.network->sequence_logits(packed, mode);
    case Output::token_logits:
      return model_.network->token_logits(packed, mode);
    case Output::masked_lm:
      return model_.network->masked_lm_logits(packed, rows_of(packed.ids, options_.mask_id), mode);
    case Output::embedding:
      break;
  }
  const Tensor hidden = ops::cast(model_.network->hidden_states(packed, mode), DType::f32);
  const Tensor pooled = options_.pooling.mean ? ops::segment_mean(hidden, packed.offsets)
                                              : ops::index_select(hidden, models::first_tokens(packed));
  return options_.pooling.normalize ? ops::normalize(pooled) : pooled;
}

std::vector<std::vector<float>> Engine::run(std::span<const TokenSequence> sequences, Output output) const {
  const NoGradient off;
  std::vector<int64_t> lengths;
  for (const TokenSequence& sequence : sequences) lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
  std::vector<std::vector<float>> results(sequences.size());
  for (const auto& batch : plan_batches(lengths, options_.tokens_per_batch)) {
    const Tensor raw = forward(pack(sequences, batch), output);
    const Tensor rows = ops::cast(raw, DType::f32).to({});
    const int64_t width = rows.dim(1);
    auto values = rows.host<float>();
    for (const size_t i : batch) {
      const auto count = static_cast<size_t>(rows_for(sequences[i], output, options_.mask_id) * width);
      results[i].assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
      values = values.subspan(count);
    }
  }
  return results;
}

}  // namespace suanli::infer
