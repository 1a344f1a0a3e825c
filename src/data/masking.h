/// Masked-language-model inputs: which tokens are hidden, and by what (Devlin et al. 2018).
#pragma once

#include <cstdint>

#include "data/batch.h"

namespace suanli {

/// Of all tokens that are not special, `probability` are chosen; of those, `mask_share` become the mask token,
/// `random_share` a random token of the vocabulary, the rest stay (DataCollatorForLanguageModeling's 80/10/10).
struct MaskingOptions {
  double probability = 0.15;
  double mask_share = 0.8, random_share = 0.1;
  int32_t mask_id = 0;
  int64_t vocab_size = 0;
  uint64_t seed = 0;
};

/// Masks `example` anew for `epoch`: ids change, and labels become the true id of each chosen token, kIgnoredLabel of
/// all others. The choice for a token depends on (seed, epoch, row, position) alone. Throws UserError for shares
/// outside [0, 1], or a mask id outside the vocabulary.
void mask_tokens(EncodedExample* example, const MaskingOptions& options, int64_t epoch);

}  // namespace suanli
