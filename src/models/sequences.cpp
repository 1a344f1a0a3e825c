#include "models/sequences.h"

#include <algorithm>

namespace suanli::models {

Tensor packed_array(std::span<const int32_t> ids, std::span<const int32_t> types, std::span<const int32_t> positions,
                    std::span<const int32_t> offsets) {
  if (types.size() != ids.size() || positions.size() != ids.size()) {
    throw UserError("pack", "expected as many types and positions as the " + std::to_string(ids.size()) + " ids, got " +
                                std::to_string(types.size()) + " and " + std::to_string(positions.size()));
  }
  std::vector<int32_t> all;
  all.reserve(3 * ids.size() + offsets.size());
  for (const auto& part : {ids, types, positions, offsets}) all.insert(all.end(), part.begin(), part.end());
  Tensor array = Tensor::from(all, {static_cast<int64_t>(all.size())});
  array.make_constant();
  return array;
}

PackedSequences packed_views(const Tensor& array, int64_t tokens) {
  return {array.rows(0, tokens), array.rows(tokens, 2 * tokens), array.rows(2 * tokens, 3 * tokens),
          array.rows(3 * tokens, array.dim(0))};
}

PackedSequences pack(std::span<const int32_t> ids, std::span<const int32_t> types, std::span<const int32_t> positions,
                     std::span<const int32_t> offsets) {
  return packed_views(packed_array(ids, types, positions, offsets), static_cast<int64_t>(ids.size()));
}

int64_t position_count(const PackedSequences& sequences, int64_t longest, const char* where) {
  const Tensor positions = sequences.positions.on({});
  int32_t last = -1;
  for (const int32_t place : positions.host<int32_t>()) last = std::max(last, place);
  if (last >= longest) {
    throw UserError(where, "expected sequences of at most " + std::to_string(longest) + " tokens, got " +
                               std::to_string(last + 1) + "; set max_seq_length");
  }
  return last + 1;
}

Tensor first_tokens(const PackedSequences& sequences) {
  const auto offsets = sequences.offsets.host<int32_t>();
  for (size_t b = 1; b < offsets.size(); ++b) {
    if (offsets[b] == offsets[b - 1]) {
      throw UserError("first_tokens",
                      "expected sequences of at least one token, got none in number " + std::to_string(b - 1));
    }
  }
  return sequences.offsets.rows(0, sequences.offsets.dim(0) - 1);
}

}  // namespace suanli::models
