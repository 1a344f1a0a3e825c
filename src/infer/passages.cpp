#include "infer/passages.h"

#include <algorithm>

namespace suanli::infer {

int64_t question_window_length(const TextModel& model) {
  return std::min<int64_t>(model.encode_options.max_length, 384);
}

Passage passage_of(const Tokenizer& tokenizer, std::string_view question, std::string context,
                   const QuestionWindowOptions& options) {
  Passage passage{.context = std::move(context), .windows = {}};
  passage.windows = question_windows(tokenizer, question, passage.context, options);
  return passage;
}

std::vector<TokenSequence> window_sequences(std::span<const Passage> passages) {
  std::vector<TokenSequence> out;
  for (const Passage& passage : passages) {
    for (const QuestionWindow& window : passage.windows) out.push_back({window.ids, window.types});
  }
  return out;
}

std::vector<AnswerSpan> answers_in(const Passage& passage, std::span<const std::vector<float>> rows,
                                   const AnswerOptions& options) {
  const std::vector<std::span<const float>> logits(rows.begin(), rows.end());
  return best_answers(passage.context, passage.windows, logits, options);
}

}  // namespace suanli::infer
