/// How a causal language model writes: the values of transformers' GenerationConfig, with its names and defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace suanli {

struct GenerationConfig {
  int64_t max_new_tokens = 20;
  bool do_sample = false;         ///< false: the most likely token, or beam search
  double temperature = 1;         ///< logits are divided by it, when sampling
  int64_t top_k = 50;             ///< sample among the k most likely tokens; 0: all
  double top_p = 1;               ///< ... among the fewest that hold this probability
  double min_p = 0;               ///< ... among those with at least this part of the largest probability
  double repetition_penalty = 1;  ///< logits of tokens that occurred are divided by it (negative ones multiplied)
  int64_t num_beams = 1;          ///< sequences that beam search keeps
  double length_penalty = 1;      ///< beams are compared by log-probability / length^this
  bool early_stopping = false;    ///< beam search ends with num_beams whole sequences
  std::vector<int32_t> eos_token_id = {};
  std::vector<std::string> stop_strings = {};
  uint64_t seed = 42;

  /// Throws UserError for a value outside its range.
  void check() const;
};

/// generation_config.json of a model folder; where it is missing, or has no eos_token_id, that of config.json. Throws
/// UserError naming the file and what is wrong.
GenerationConfig read_generation_config(const std::filesystem::path& folder);

}  // namespace suanli
