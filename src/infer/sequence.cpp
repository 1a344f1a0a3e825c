#include "infer/sequence.h"

#include <algorithm>

#include "base/error.h"
#include "infer/next_token.h"

namespace suanli::infer {

void check_prompt(std::span<const int32_t> prompt, const models::ModelConfig& model) {
  if (prompt.empty()) throw UserError("generate", "expected a prompt of at least one token, got none");
  for (const int32_t id : prompt) {
    if (id < 0 || id >= model.vocab_size) {
      throw UserError("generate", "expected token ids in 0.." + std::to_string(model.vocab_size - 1) + ", got " +
                                      std::to_string(id));
    }
  }
}

int64_t room_after(int64_t length, int64_t longest, const GenerationConfig& config) {
  if (length >= longest) {
    throw UserError("generate", "expected a prompt shorter than the " + std::to_string(longest) +
                                    " tokens that a text may have here, got " + std::to_string(length));
  }
  return std::min(longest - length, config.max_new_tokens);
}

Sequence::Sequence(TokenIds prompt, int64_t room, const GenerationConfig& config, uint32_t site)
    : tokens_(std::move(prompt)),
      prompt_(tokens_.size()),
      room_(static_cast<size_t>(room)),
      config_(config),
      site_(site) {}

int32_t Sequence::take(std::span<float> logits) {
  penalise_repetition(logits, tokens_, config_.repetition_penalty);
  int32_t token = 0;
  if (config_.do_sample) {
    RandomGenerator random({.seed = config_.seed, .step = static_cast<uint32_t>(added().size()), .site = site_});
    token = draw(sampling_distribution(logits, config_), static_cast<double>(random.next_uniform()));
  } else {
    token = most_likely(logits);
  }
  tokens_.push_back(token);
  if (std::ranges::count(config_.eos_token_id, token) > 0) {
    finish_ = Finish::stop;
  } else if (added().size() >= room_) {
    finish_ = Finish::length;
  }
  return token;
}

}  // namespace suanli::infer
