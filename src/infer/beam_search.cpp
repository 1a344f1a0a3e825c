// Beam search as transformers 5 defines it: of the best continuations of all beams, those that end are kept by their
// penalised score, and the best of the others go on.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "infer/decoding.h"
#include "infer/next_token.h"
#include "infer/sequence.h"

namespace suanli::infer {

namespace {

struct Beam {
  double score = 0;  ///< running: the sum of log-probabilities; finished: divided by length^length_penalty
  TokenIds tokens = {};
};

struct Continuation {
  double score;
  size_t beam;
  int32_t token;
};

/// The `count` best continuations of all beams, best first.
std::vector<Continuation> best_continuations(const std::vector<Beam>& beams, std::vector<std::vector<double>>& scores,
                                             size_t count) {
  std::vector<Continuation> all;
  for (size_t b = 0; b < beams.size(); ++b) {
    for (size_t token = 0; token < scores[b].size(); ++token) {
      all.push_back({beams[b].score + scores[b][token], b, static_cast<int32_t>(token)});
    }
  }
  count = std::min(count, all.size());
  const auto better = [](const Continuation& a, const Continuation& b) { return a.score > b.score; };
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(count), better);
  all.resize(count);
  return all;
}

}  // namespace

TokenIds Generator::beam_search(const TokenIds& prompt, const GenerationConfig& config) const {
  const auto beams_wanted = static_cast<size_t>(config.num_beams);
  const int64_t room = room_after(static_cast<int64_t>(prompt.size()), model_.config().longest_sequence, config);
  const size_t kept = std::max<size_t>(2, 1 + config.eos_token_id.size()) * beams_wanted;
  Decoding decoding(model_, dtype_, beams_wanted, static_cast<int64_t>(prompt.size()) + room);
  std::vector<TokenIds> next(beams_wanted, prompt);
  std::vector<Beam> running(1), finished;  // at first all beams are the same: one counts
  for (int64_t length = 1;; ++length) {
    auto logits = decoding.step(next);
    const double penalty = std::pow(static_cast<double>(length), config.length_penalty);
    std::vector<std::vector<double>> scores;
    for (size_t b = 0; b < running.size(); ++b) {
      const std::vector<double> log_p = log_probabilities(logits[b]);
      std::vector<float> processed(log_p.begin(), log_p.end());
      TokenIds before = prompt;
      before.insert(before.end(), running[b].tokens.begin(), running[b].tokens.end());
      penalise_repetition(processed, before, config.repetition_penalty);
      scores.emplace_back(processed.begin(), processed.end());
    }
    const std::vector<Continuation> best = best_continuations(running, scores, kept);
    std::vector<Beam> going;
    std::vector<int32_t> from;
    for (size_t rank = 0; rank < best.size(); ++rank) {
      const Continuation& c = best[rank];
      Beam beam = {c.score, running[c.beam].tokens};
      beam.tokens.push_back(c.token);
      const bool ends = length == room || std::ranges::count(config.eos_token_id, c.token) > 0;
      if (!ends && going.size() < beams_wanted) {
        from.push_back(static_cast<int32_t>(c.beam));
        going.push_back(std::move(beam));
      } else if (ends && rank < beams_wanted) {  // those further down only stand in for beams that end
        beam.score /= penalty;
        finished.push_back(std::move(beam));
      }
    }
    std::ranges::stable_sort(finished, [](const Beam& a, const Beam& b) { return a.score > b.score; });
    if (finished.size() > beams_wanted) finished.resize(beams_wanted);
    const bool full = finished.size() == beams_wanted;
    // What the best running beam could still become, as if it ended now.
    const bool hopeless = full && !going.empty() && going.front().score / penalty <= finished.back().score;
    if (going.empty() || hopeless || (full && config.early_stopping)) break;
    while (from.size() < beams_wanted) {  // fewer tokens than beams: the rest repeat the first, unseen
      from.push_back(from.front());
    }
    decoding.select(from);
    running = std::move(going);
    for (size_t b = 0; b < beams_wanted; ++b) next[b] = {running[std::min(b, running.size() - 1)].tokens.back()};
  }
  return finished.front().tokens;
}

}  // namespace suanli::infer
