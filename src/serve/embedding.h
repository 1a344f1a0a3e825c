/// Sentence vectors as they are sent.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace suanli::serve {

/// The first `dimensions` numbers (Matryoshka embeddings, Kusupati et al. 2022), brought to length 1 where asked.
std::vector<float> embedding_of(std::span<const float> row, size_t dimensions, bool normalize);

/// Little-endian f32 in base64, as OpenAI's clients ask for it.
std::string base64_of(std::span<const float> values);

}  // namespace suanli::serve
