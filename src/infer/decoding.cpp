#include "infer/decoding.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/error.h"
#include "ops/cast.h"

namespace suanli::infer {

Decoding::Decoding(const models::Model& model, DType dtype, size_t sequences, int64_t capacity)
    : model_(model),
      mode_{.dtype = dtype},
      cache_(model.network->new_cache(static_cast<int64_t>(sequences), capacity, dtype)) {}

std::vector<std::vector<float>> Decoding::step(std::span<const TokenIds> added) {
  const NoGradient guard;
  std::vector<int32_t> ids, positions, offsets = {0}, rows;
  for (size_t b = 0; b < added.size(); ++b) {
    int32_t position = cache_.lengths.host<int32_t>()[b];
    for (const int32_t id : added[b]) {
      ids.push_back(id);
      positions.push_back(position++);
    }
    offsets.push_back(static_cast<int32_t>(ids.size()));
    if (!added[b].empty()) rows.push_back(static_cast<int32_t>(ids.size()) - 1);
  }
  const models::PackedSequences sequences = models::pack(ids, std::vector<int32_t>(ids.size()), positions, offsets);
  const Tensor places = Tensor::from(rows, {static_cast<int64_t>(rows.size())});
  const Tensor logits = model_.network->next_token_logits(sequences, places, mode_, &cache_);
  const Tensor host = ops::cast(logits, DType::f32).to({});
  std::vector<std::vector<float>> out(added.size());
  const auto values = host.host<float>();
  const auto width = static_cast<size_t>(host.dim(1));
  size_t row = 0;
  for (size_t b = 0; b < added.size(); ++b) {
    if (added[b].empty()) continue;
    const auto part = values.subspan(row++ * width, width);
    out[b].assign(part.begin(), part.end());
  }
  return out;
}

int64_t room_after(int64_t length, const models::ModelConfig& model, const GenerationConfig& config) {
  const int64_t room = model.longest_sequence - length;
  if (room < 1) {
    throw UserError("generate", "expected a prompt shorter than the " + std::to_string(model.longest_sequence) +
                                    " tokens that the model has positions for, got " + std::to_string(length));
  }
  return std::min(room, config.max_new_tokens);
}

}  // namespace suanli::infer
