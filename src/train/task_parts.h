/// What the tasks share; internal to train/.
#pragma once

#include <span>
#include <string>

#include "data/batch.h"
#include "models/load.h"
#include "train/task.h"

namespace suanli {

/// What every task is made of.
struct TaskParts {
  const models::Model* model;
  Tokenizer tokenizer;
  LabelTable labels;
  TaskKind kind;
  TaskOptions options;
};

std::unique_ptr<Task> make_causal_lm(TaskParts parts);
std::unique_ptr<Task> make_masked_lm(TaskParts parts);
std::unique_ptr<Task> make_sequence_classification(TaskParts parts);
std::unique_ptr<Task> make_token_classification(TaskParts parts);
std::unique_ptr<Task> make_sentence_retrieval(TaskParts parts);
std::unique_ptr<Task> make_sentence_similarity(TaskParts parts);
std::unique_ptr<Task> make_sentence_triplets(TaskParts parts);

/// The tokens of a batch.
LossInputs tokens_of(const Batch& batch);
/// Ids, types and special flags of an encoding.
EncodedExample tokenized(Encoding encoding);
/// Text or pair of an example, cut to parts.options.max_length tokens.
Encoding encoded_text(const TaskParts& parts, const Example& example);

/// The number in a tensor of one f32, such as a loss.
float number_of(const Tensor& tensor);
/// A constant tensor of host values, [values.size()].
Tensor integers(std::span<const int32_t> values);
Tensor numbers(std::span<const float> values);
/// The values of a floating tensor on the host.
std::vector<float> host_values(const Tensor& tensor);
/// Index of the largest of row `row` of [rows, width] values; the first of equals.
int64_t largest(std::span<const float> values, int64_t row, int64_t width);

/// Text of a number as predictions show it.
std::string number_text(float value);

}  // namespace suanli
