/// Text that writes itself, in token ids: one token after another, with a cache of keys and values.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "formats/generation_config.h"
#include "models/load.h"

namespace suanli::infer {

using TokenIds = std::vector<int32_t>;

/// Why a text ended: an end of sequence or its caller, or that no more tokens were asked for or fit.
enum class Finish { none, stop, length };

/// Called after each new token with the number of the prompt and all new tokens so far; true ends that sequence.
using OnToken = std::function<bool(size_t prompt, std::span<const int32_t> added)>;

/// Thread compatible: one call at a time.
class Generator {
 public:
  /// `dtype`: of activations and the cache. The model needs the head causal_lm.
  Generator(models::Model model, DType dtype) : model_(std::move(model)), dtype_(dtype) {}
  const models::Model& model() const { return model_; }

  /// The new tokens of each prompt, an end of sequence included: transformers' generate() without what it pads. All
  /// prompts advance together. Sampling draws token i of prompt p at the place (seed, i, p) of the random stream, so
  /// that neither batch nor threads change it. Beam search (num_beams > 1) takes the prompts one after another and
  /// calls `on_token` once for each, at its end. Throws UserError for an empty prompt, an id outside the vocabulary, a
  /// prompt as long as the model's longest sequence, or a config that does not check().
  std::vector<TokenIds> generate(std::span<const TokenIds> prompts, const GenerationConfig& config,
                                 const OnToken& on_token = {}) const;

 private:
  std::vector<TokenIds> one_by_one(std::span<const TokenIds> prompts, const GenerationConfig& config,
                                   const OnToken& on_token) const;
  TokenIds beam_search(const TokenIds& prompt, const GenerationConfig& config) const;

  models::Model model_;
  DType dtype_;
};

}  // namespace suanli::infer
