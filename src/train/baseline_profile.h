/// The baseline that a service compares its inputs and answers with, made of the data of a run; internal to train/.
#pragma once

#include <optional>
#include <span>

#include "data/image_dataset.h"
#include "data/questions.h"
#include "monitor/profile.h"
#include "train/evaluate.h"
#include "train/table_data.h"

namespace suanli {

/// Lengths, shares of unknown tokens and labels of training texts: `examples`, and `rows`, what became of them.
/// `unknown`: the token for what the vocabulary lacks. Of tasks that embed texts each text of a pair counts for itself.
/// Empty for language models, whose rows are blocks of text.
monitor::BaselineProfile text_profile(const TaskKind& kind, std::span<const Example> examples, const Dataset& rows,
                                      std::optional<int32_t> unknown);

/// Of questions the characters, with those of their contexts. Their windows: add_windows().
monitor::BaselineProfile question_profile(std::span<const QuestionExample> questions);
/// Adds tokens and shares of unknown tokens of the windows that became of questions.
void add_windows(const Dataset& windows, std::optional<int32_t> unknown, monitor::BaselineProfile* profile);

/// A uniform sample of at most 2,000 rows (Vitter 1985, algorithm R, with counted randomness): more of them would
/// hardly sharpen a baseline, and would take time.
class RowSample {
 public:
  void add(const Row& row);
  std::span<const Row> rows() const { return rows_; }

 private:
  uint64_t count_ = 0;
  std::vector<Row> rows_;
};

/// Labels and the first 256 columns that the encoder reads, but dates, which only go on: numbers as numbers, all others
/// as categories, a missing one as "". `columns`: of the file that the rows come from.
monitor::BaselineProfile table_profile(std::span<const Row> rows, const std::vector<std::string>& columns,
                                       const TableEncoder& encoder, const std::string& label, bool regression);

/// Size, brightness and contrast of at most 256 of the pictures, evenly spaced, and their classes where `class_names`
/// has names. Throws UserError for a picture that cannot be decoded.
monitor::BaselineProfile picture_profile(std::span<const ImageExample> pictures,
                                         const std::vector<std::string>& class_names = {});

/// Adds the embeddings of some of a task's training rows, evenly spaced, as the trained model makes them.
void add_embeddings(const Task& task, const Dataset& rows, DType dtype, monitor::BaselineProfile* profile);

/// Adds the predictions of an evaluation, but texts that answer questions, and, where one class was chosen, the
/// probabilities of these.
void add_answers(const TaskKind& kind, const Evaluation& evaluation, monitor::BaselineProfile* profile);

}  // namespace suanli
