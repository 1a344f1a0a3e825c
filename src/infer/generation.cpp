#include "infer/generation.h"

#include <algorithm>

#include "base/error.h"
#include "infer/decoding.h"
#include "infer/next_token.h"

namespace suanli::infer {

namespace {

void check_prompt(const TokenIds& prompt, const models::ModelConfig& model) {
  if (prompt.empty()) throw UserError("generate", "expected a prompt of at least one token, got none");
  for (const int32_t id : prompt) {
    if (id < 0 || id >= model.vocab_size) {
      throw UserError("generate", "expected token ids in 0.." + std::to_string(model.vocab_size - 1) + ", got " +
                                      std::to_string(id));
    }
  }
}

bool ends(int32_t token, const GenerationConfig& config) { return std::ranges::count(config.eos_token_id, token) > 0; }

/// The next token of prompt `p` behind `before` (prompt and new tokens).
int32_t choose(std::span<float> logits, std::span<const int32_t> before, size_t p, size_t place,
               const GenerationConfig& config) {
  penalise_repetition(logits, before, config.repetition_penalty);
  if (!config.do_sample) return most_likely(logits);
  RandomGenerator random({.seed = config.seed, .step = static_cast<uint32_t>(place), .site = static_cast<uint32_t>(p)});
  return draw(sampling_distribution(logits, config), static_cast<double>(random.next_uniform()));
}

}  // namespace

std::vector<TokenIds> Generator::generate(std::span<const TokenIds> prompts, const GenerationConfig& config,
                                          const OnToken& on_token) const {
  config.check();
  for (const TokenIds& prompt : prompts) check_prompt(prompt, model_.config());
  if (config.num_beams == 1) return one_by_one(prompts, config, on_token);
  std::vector<TokenIds> out;
  for (const TokenIds& prompt : prompts) {
    out.push_back(beam_search(prompt, config));
    if (on_token) on_token(out.size() - 1, out.back());
  }
  return out;
}

std::vector<TokenIds> Generator::one_by_one(std::span<const TokenIds> prompts, const GenerationConfig& config,
                                            const OnToken& on_token) const {
  std::vector<TokenIds> sequences(prompts.begin(), prompts.end()), next = sequences, out(prompts.size());
  std::vector<int64_t> room;
  int64_t capacity = 1;
  for (const TokenIds& prompt : prompts) {
    const auto length = static_cast<int64_t>(prompt.size());
    room.push_back(room_after(length, model_.config(), config));
    capacity = std::max(capacity, length + room.back());
  }
  Decoding decoding(model_, dtype_, prompts.size(), capacity);
  while (std::ranges::any_of(next, [](const TokenIds& ids) { return !ids.empty(); })) {
    auto logits = decoding.step(next);
    for (size_t p = 0; p < prompts.size(); ++p) {
      if (next[p].empty()) continue;
      const int32_t token = choose(logits[p], sequences[p], p, out[p].size(), config);
      sequences[p].push_back(token);
      out[p].push_back(token);
      const bool stopped = on_token && on_token(p, out[p]);
      const bool done = stopped || ends(token, config) || static_cast<int64_t>(out[p].size()) >= room[p];
      next[p] = done ? TokenIds() : TokenIds{token};
    }
  }
  return out;
}

}  // namespace suanli::infer
