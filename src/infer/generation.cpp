#include "infer/generation.h"

#include <algorithm>

#include "infer/decoding.h"
#include "infer/sequence.h"

namespace suanli::infer {

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
  std::vector<Sequence> sequences;
  int64_t capacity = 1;
  for (const TokenIds& prompt : prompts) {
    const auto length = static_cast<int64_t>(prompt.size());
    const int64_t room = room_after(length, model_.config().longest_sequence, config);
    sequences.emplace_back(prompt, room, config, static_cast<uint32_t>(sequences.size()));
    capacity = std::max(capacity, length + room);
  }
  Decoding decoding(model_, dtype_, prompts.size(), capacity);
  std::vector<TokenIds> next(prompts.begin(), prompts.end());
  while (std::ranges::any_of(next, [](const TokenIds& ids) { return !ids.empty(); })) {
    auto logits = decoding.step(next);
    for (size_t p = 0; p < prompts.size(); ++p) {
      if (next[p].empty()) continue;
      const int32_t token = sequences[p].take(logits[p]);
      const bool stopped = on_token && on_token(p, sequences[p].added());
      const bool ended = stopped || sequences[p].finish() != Finish::none;
      next[p] = ended ? TokenIds() : TokenIds{token};
    }
  }
  std::vector<TokenIds> out;
  for (const Sequence& sequence : sequences) out.emplace_back(sequence.added().begin(), sequence.added().end());
  return out;
}

}  // namespace suanli::infer
