/// Sequences travel packed: the tokens of a batch one after another, without padding.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace suanli::models {

struct PackedSequences {
  Tensor ids;        ///< [T] i32, token ids
  Tensor types;      ///< [T] i32, token type ids (0 first text, 1 second)
  Tensor positions;  ///< [T] i32, 0, 1, 2, ... within each sequence
  Tensor offsets;    ///< [B+1] i32: sequence b is tokens offsets[b] .. offsets[b+1]
};

/// Packs ids, types and positions [T] and offsets [B+1] into one constant array on the host, one after another
/// [3T+B+1]: a device has them all after one copy.
Tensor packed_array(std::span<const int32_t> ids, std::span<const int32_t> types, std::span<const int32_t> positions,
                    std::span<const int32_t> offsets);
/// The views of a packed_array() of `tokens` tokens.
PackedSequences packed_views(const Tensor& array, int64_t tokens);
/// Both at once.
PackedSequences pack(std::span<const int32_t> ids, std::span<const int32_t> types, std::span<const int32_t> positions,
                     std::span<const int32_t> offsets);

/// One more than the highest position. Throws UserError "[where] ..." above `longest`.
int64_t position_count(const PackedSequences& sequences, int64_t longest, const char* where);

/// The row of the first token of each sequence, [B] i32, shares storage with the offsets. Throws UserError for an empty
/// sequence.
Tensor first_tokens(const PackedSequences& sequences);

}  // namespace suanli::models
