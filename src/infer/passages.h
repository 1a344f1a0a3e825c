/// Questions with their contexts on the way through an engine.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/text_model.h"
#include "text/question_answering.h"

namespace suanli::infer {

struct Passage {
  std::string context;
  std::vector<QuestionWindow> windows;
};

/// 384 tokens, as transformers' pipeline takes them, or fewer where the model takes no more.
int64_t question_window_length(const TextModel& model);

/// Throws like question_windows().
Passage passage_of(const Tokenizer& tokenizer, std::string_view question, std::string context,
                   const QuestionWindowOptions& options);

/// The windows of all passages, one after the other.
std::vector<TokenSequence> window_sequences(std::span<const Passage> passages);

/// best_answers() of a passage; rows: for each window the span_logits of the engine.
std::vector<AnswerSpan> answers_in(const Passage& passage, std::span<const std::vector<float>> rows,
                                   const AnswerOptions& options);

}  // namespace suanli::infer
