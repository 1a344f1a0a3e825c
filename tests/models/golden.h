/// Golden values of small models, made by tests/golden/models/make_golden.py with PyTorch and transformers.
#pragma once

#include <filesystem>
#include <string>

#include "formats/safetensors.h"
#include "models/load.h"

namespace suanli::models {

struct GoldenCase {
  std::string family, task;
  std::filesystem::path folder() const {
    return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models" / family / task;
  }
  Head head() const {
    return task == "masked-lm"             ? Head::masked_lm
           : task == "text-classification" ? Head::sequence_classification
                                           : Head::token_classification;
  }
};

/// The packed batch stored under `prefix` ("" or "train/"), sequences [first, last).
PackedSequences golden_batch(const SafetensorsFile& golden, const std::string& prefix, int64_t first, int64_t last);

/// Labels of those sequences: per sequence for text-classification, else per token.
Tensor golden_labels(const SafetensorsFile& golden, const std::string& prefix, const std::string& task, int64_t first,
                     int64_t last);

/// Logits and labels as the loss wants them: all tokens for masked-lm and token-classification.
Tensor golden_logits(const Model& model, const PackedSequences& batch, const nn::Mode& mode);

/// Largest difference between two f32 tensors of one shape.
double largest_difference(const Tensor& a, const Tensor& b);
/// |a - b| / |b| in the Euclidean norm.
double relative_distance(const Tensor& a, const Tensor& b);
/// Euclidean norm of an f32 tensor.
double norm(const Tensor& a);

}  // namespace suanli::models
