/// A GGUF file as a Hugging Face model folder: configuration, weights, tokenizer, chat template.
#pragma once

#include "formats/gguf.h"

namespace suanli::models {

/// config.json of the file: Llama's architecture ("general.architecture": "llama"). Throws UserError for another one
/// and for keys that are missing.
Json gguf_config(const GgufFile& file);

/// tokenizer.json of the file: byte-level BPE ("tokenizer.ggml.model": "gpt2") with the splits of GPT-2 or of SmolLM
/// ("tokenizer.ggml.pre"). Throws UserError for other ones.
Json gguf_tokenizer(const GgufFile& file);

/// The weights under Hugging Face's names, in f32. The rows of queries and keys come back from the order in which GGUF
/// pairs columns for rotary embeddings: neighbours there, halves of a head here.
Tensor gguf_weight(const GgufFile& file, const std::string& name);

/// Writes config.json, generation_config.json, tokenizer.json, tokenizer_config.json and model.safetensors, weights in
/// `dtype`, f32 or bf16. Throws UserError and EnvironmentError.
void write_gguf_folder(const GgufFile& file, const std::filesystem::path& folder, DType dtype);

}  // namespace suanli::models
