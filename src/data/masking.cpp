#include "data/masking.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/random.h"
#include "data/random_sites.h"

namespace suanli {
namespace {

constexpr int kPositionBits = 24;  // a row of up to 16.7 million tokens, 2^40 rows

/// True with `probability`, by one random word.
bool chosen(uint32_t word, double probability) { return static_cast<double>(word) < probability * 0x1p32; }

bool is_share(double value) { return value >= 0.0 && value <= 1.0; }

}  // namespace

void mask_tokens(EncodedExample* example, const MaskingOptions& options, int64_t epoch) {
  if (!is_share(options.probability) || !is_share(options.mask_share) || !is_share(options.random_share) ||
      options.mask_share + options.random_share > 1.0 + 1e-9) {
    throw UserError("mlm_probability", concat("expected shares in [0, 1], found probability ", options.probability,
                                              ", mask ", options.mask_share, ", random ", options.random_share));
  }
  if (options.mask_id < 0 || options.mask_id >= options.vocab_size || options.vocab_size >> 31 != 0) {
    throw UserError("mask token", concat("id ", options.mask_id, " lies outside the vocabulary of ", options.vocab_size,
                                         " tokens; the tokenizer needs a mask token"));
  }
  SUANLI_ASSERT(example->special.size() == example->ids.size());
  SUANLI_ASSERT(example->ids.size() >> kPositionBits == 0);
  const RandomKey key = {options.seed, static_cast<uint32_t>(epoch), kMaskSite};
  example->labels.assign(example->ids.size(), kIgnoredLabel);
  for (size_t position = 0; position < example->ids.size(); ++position) {
    if (example->special[position] != 0) continue;
    const auto words = philox(key, static_cast<uint64_t>(example->row) << kPositionBits | position);
    if (!chosen(words[0], options.probability)) continue;
    int32_t& id = example->ids[position];
    example->labels[position] = id;
    if (chosen(words[1], options.mask_share)) {
      id = options.mask_id;
    } else if (chosen(words[1], options.mask_share + options.random_share)) {
      id = static_cast<int32_t>((uint64_t{words[2]} * static_cast<uint64_t>(options.vocab_size)) >> 32);
    }
  }
}

}  // namespace suanli
