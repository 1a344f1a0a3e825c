/// Extractive question answering apart from its network: a question and a context as windows of tokens, and the best
/// span of the context from what a network says of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace suanli {

struct QuestionWindowOptions {
  int64_t max_length = 384;  ///< tokens of a window, special ones included
  int64_t doc_stride = 128;  ///< tokens of the context that two windows share
};

/// [CLS] question [SEP] a part of the context [SEP], in the words of the tokenizer.
struct QuestionWindow {
  std::vector<int32_t> ids, types;
  size_t first = 0;                                    ///< where the part of the context begins
  std::vector<std::pair<uint32_t, uint32_t>> offsets;  ///< of each token of the part: code points of the context
  std::vector<std::pair<uint32_t, uint32_t>> words;    ///< of its word, as far as the window has it
};

/// The windows that transformers cuts (truncation only_second with a stride): the context is left out nowhere. Throws
/// UserError for a question or a context without tokens, and for a question that leaves no room for more of the context
/// than doc_stride.
std::vector<QuestionWindow> question_windows(const Tokenizer& tokenizer, std::string_view question,
                                             std::string_view context, const QuestionWindowOptions& options);

/// Where in a window an answer stands, first and last token; both 0, its first token, where it does not stand there.
struct TokenSpan {
  int32_t start = 0, end = 0;
};

/// The tokens of code points [begin, end) of the context, as run_qa of transformers marks them.
TokenSpan answer_tokens(const QuestionWindow& window, uint32_t begin, uint32_t end);

struct AnswerOptions {
  int64_t n_best_size = 20;               ///< starts and ends of a window that are tried with one another
  int64_t max_answer_length = 30;         ///< tokens
  int64_t top_k = 1;                      ///< answers
  bool handle_impossible_answer = false;  ///< that there is none is an answer, too: ""
};

/// Code points [start, end) of the context; of "no answer" both 0.
struct AnswerSpan {
  std::string text;
  double score = 0;
  uint32_t start = 0, end = 0;
};

/// The best answers, best first, as the question-answering pipeline of transformers 4 finds them: in each window a
/// softmax of the starts and one of the ends over its part of the context and its first token; the score of a span is
/// the product; spans grow to whole words, and equal texts are one answer with the sum of their scores. That there is
/// no answer has the least of the windows' products at their first tokens. `logits`: for each window [tokens, 2],
/// starts and ends.
std::vector<AnswerSpan> best_answers(std::string_view context, std::span<const QuestionWindow> windows,
                                     std::span<const std::span<const float>> logits, const AnswerOptions& options);

/// What SQuAD's evaluation compares (Rajpurkar et al. 2016): lower case without ASCII punctuation and the words a, an
/// and the, one space between words.
std::string normalized_answer(std::string_view text);

/// 1 where the normalised answers are the same, else 0.
double exact_match(std::string_view truth, std::string_view answer);
/// F1 of the words of the normalised answers; where one has none, whether both have none.
double answer_f1(std::string_view truth, std::string_view answer);

}  // namespace suanli
