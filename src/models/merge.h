/// An adapter and its base as one plain model folder.
#pragma once

#include <filesystem>

#include "tensor/dtype.h"

namespace suanli::models {

/// Writes the model that PEFT's merge_and_unload() gives, with weights in `dtype` (f32 or bf16), and beside it the
/// files of tokenizer, generation and pooling, the adapter's before the base's. Throws UserError and EnvironmentError,
/// UserError also where `output` is the adapter's or the base's folder.
void write_merged_folder(const std::filesystem::path& adapter, const std::filesystem::path& output, DType dtype);

}  // namespace suanli::models
