/// The vectors of items' texts by an encoder of sentences; internal to train/.
#pragma once

#include <filesystem>

#include "data/interactions.h"
#include "tensor/tensor.h"

namespace suanli {

/// text_of() each item as sentence transformers read it: pooled as the folder says, of length 1. [N,W] f32 on the host.
/// Throws UserError for a folder without an encoder and its tokenizer.
Tensor item_text_vectors(const ItemTable& items, const std::filesystem::path& encoder, Device device);

/// Copies the files of the encoder's folder, so that a recommender can read the texts of new items.
void copy_encoder(const std::filesystem::path& encoder, const std::filesystem::path& to);

}  // namespace suanli
