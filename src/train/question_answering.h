/// Questions answered by a span of a context.
#pragma once

#include <vector>

#include "data/questions.h"
#include "text/question_answering.h"
#include "train/task.h"

namespace suanli {

struct QuestionAnsweringOptions {
  QuestionWindowOptions windows = {};
  AnswerOptions answers = {};
};

/// The task over a network with span_logits, which must outlive it. A row is a window of one of the task's sets. The
/// loss of a window is the mean of the cross-entropies of start and end over its tokens (BertForQuestionAnswering of
/// transformers, which counts padding among the tokens; there is none here); where the answer does not stand in a
/// window both are its first token. Scores, in percent: exact_match and f1 of SQuAD's evaluation, the best over the
/// true answers of a question.
class QuestionAnswering final : public Task {
 public:
  QuestionAnswering(const models::Model& model, Tokenizer tokenizer, QuestionAnsweringOptions options);

  /// The rows of a further set. That there is no answer is one of the answers where a question of the set has none.
  /// Throws UserError.
  std::vector<EncodedExample> add(std::vector<QuestionExample> questions);

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  int64_t items(const Batch& batch) const override { return batch.size(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  struct Asked {
    QuestionExample example;
    std::vector<QuestionWindow> windows;
  };
  /// The question of row b of a batch, and which of its windows the row is.
  std::pair<const Asked*, size_t> asked(const Batch& batch, size_t b) const;
  /// As this set's questions want them.
  AnswerOptions answer_options(const Batch& batch) const;
  /// [T, 2] f32.
  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const;
  /// loss() of these logits.
  Tensor loss_of(const Tensor& logits, const LossInputs& inputs, double normalizer) const;

 private:
  struct Set {
    std::vector<Asked> questions;
    bool impossible = false;
  };
  const models::Model& model_;
  Tokenizer tokenizer_;
  QuestionAnsweringOptions options_;
  std::vector<Set> sets_;
};

}  // namespace suanli
