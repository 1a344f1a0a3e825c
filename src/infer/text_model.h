/// A model folder ready to answer texts: tokenizer, network, and how long a text may be.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "infer/engine.h"
#include "text/tokenizer.h"

namespace suanli::infer {

struct TextModelOptions {
  models::Head head = models::Head::none;
  std::string device = "cpu";
  std::string precision = "f32";  ///< as nn::inference_precision_named() takes it
  int64_t max_length = 0;         ///< cut texts to so many tokens; 0: as the model was made
  int64_t tokens_per_batch = 4096;
  bool cuda_graphs = true;
  std::optional<bool> mean = {}, normalize = {};  ///< of Pooling; else as the folder says, else mean and no
};

struct TextModel {
  Tokenizer tokenizer;
  Engine engine;
  EncodeOptions encode_options;  ///< max_length is the most that tokenizer, network, folder and options allow
  Pooling pooling;
  const char* precision;  ///< what was chosen: "f32", "bf16", "int8", ...
};

/// Reads tokenizer, weights and, for head none, the files of sentence transformers. Throws UserError, too, where the
/// folder has no trained head of that kind, or a pooling other than mean and cls.
TextModel load_text_model(const std::filesystem::path& folder, const TextModelOptions& options);

/// A causal language model and its tokenizer.
struct CausalModel {
  Tokenizer tokenizer;
  models::Model model;
  DType dtype;  ///< of activations and the cache
};

/// Throws UserError, too, where the folder has no trained causal language model. `precision` as above.
CausalModel load_causal_model(const std::filesystem::path& folder, const std::string& device,
                              const std::string& precision);

/// Ids and types of encodings as the engine takes them.
std::vector<TokenSequence> token_sequences(const std::vector<Encoding>& encodings);

}  // namespace suanli::infer
