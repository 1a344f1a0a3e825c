/// What a model answered on an evaluation set, row by row, in a table that `suanli report` and other programs read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace suanli {

struct Answer {
  int64_t row = 0;                        ///< of the set, from zero
  std::string label, prediction;          ///< names of classes, several of them joined by '|'; or numbers
  std::vector<float> probabilities = {};  ///< [classes]: of each class, or of nothing
  std::string input = {};                 ///< what the model saw, where that is a text; may be empty
};

struct Answers {
  std::vector<std::string> classes = {};  ///< empty: numbers were predicted
  bool several = false;                   ///< each class is given or not, independently
  std::vector<Answer> rows = {};
};

/// Softmax of one row of logits in f64; sigmoid of each where `several`.
std::vector<float> class_probabilities(std::span<const float> logits, bool several);

/// CSV with the columns row, label, prediction (labels and predictions where several are given), probability_CLASS for
/// each class, input. Throws EnvironmentError.
void write_answers(const std::filesystem::path& file, const Answers& answers);

/// The same back; a probability that is no number is NaN. Throws UserError for another table.
Answers read_answers(const std::filesystem::path& file);

}  // namespace suanli
