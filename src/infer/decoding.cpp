#include "infer/decoding.h"

#include "autograd/tape.h"
#include "ops/cast.h"

namespace suanli::infer {

Decoding::Decoding(const models::Model& model, DType dtype, size_t sequences, int64_t capacity)
    : model_(model),
      mode_{.dtype = dtype},
      cache_(model.network->new_cache(static_cast<int64_t>(sequences), capacity, dtype)) {}

Tensor Decoding::host_logits(const models::PackedSequences& sequences, const Tensor& places) {
  const Tensor lengths = cache_.lengths;  // what a pass writes behind these is not there until they grow
  try {
    return ops::cast(model_.network->next_token_logits(sequences, places, mode_, &cache_), DType::f32).to({});
  } catch (...) {
    cache_.lengths = lengths;
    throw;
  }
}

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
  const Tensor host = host_logits(sequences, places);
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

}  // namespace suanli::infer
