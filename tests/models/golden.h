/// Golden values that PyTorch and transformers computed (tests/golden/models): batches, logits and distances.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "device.h"
#include "formats/safetensors.h"
#include "models/axes.h"
#include "models/load.h"

namespace suanli::models {

struct GoldenCase {
  std::string family, task;
  std::filesystem::path folder() const {
    return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models" / family / task;
  }
  Head head() const {
    return task == "masked-lm"             ? Head::masked_lm
           : task == "causal-lm"           ? Head::causal_lm
           : task == "text-classification" ? Head::sequence_classification
                                           : Head::token_classification;
  }
  /// The name of a GoogleTest case.
  std::string test_name() const {
    std::string name = family + "_" + task;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
  }
};

/// The nine small models.
inline std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const char* family : {"bert", "roberta", "distilbert"}) {
    for (const char* task : {"masked-lm", "text-classification", "token-classification"}) {
      cases.push_back({family, task});
    }
  }
  return cases;
}

/// The small causal language models (make_causal.py).
inline std::vector<GoldenCase> causal_cases() {
  return {{"gpt2", "causal-lm"}, {"llama", "causal-lm"}, {"llama_tied", "causal-lm"}};
}

/// The chosen sequences stored under `prefix` ("" or "train/") as one packed batch.
inline PackedSequences golden_batch(const SafetensorsFile& golden, const std::string& prefix,
                                    std::span<const int32_t> chosen) {
  const auto bounds = golden.tensor(prefix + "offsets").host<int32_t>();
  const auto all_ids = golden.tensor(prefix + "ids").host<int32_t>();
  const bool typed = golden.find(prefix + "types") != nullptr;
  std::vector<int32_t> ids, types, positions, offsets = {0};
  for (const int32_t sequence : chosen) {
    const auto begin = bounds[static_cast<size_t>(sequence)], end = bounds[static_cast<size_t>(sequence) + 1];
    for (int32_t t = begin; t < end; ++t) {
      ids.push_back(all_ids[static_cast<size_t>(t)]);
      types.push_back(typed ? golden.tensor(prefix + "types").host<int32_t>()[static_cast<size_t>(t)] : 0);
      positions.push_back(t - begin);
    }
    offsets.push_back(static_cast<int32_t>(ids.size()));
  }
  return pack(ids, types, positions, offsets);
}

/// Sequences [first, last).
inline PackedSequences golden_batch(const SafetensorsFile& golden, const std::string& prefix, int32_t first,
                                    int32_t last) {
  std::vector<int32_t> chosen(static_cast<size_t>(last - first));
  std::iota(chosen.begin(), chosen.end(), first);
  return golden_batch(golden, prefix, chosen);
}

/// Labels of those sequences: per sequence for text-classification, else per token.
inline Tensor golden_labels(const SafetensorsFile& golden, const std::string& prefix, const std::string& task,
                            int64_t first, int64_t last) {
  const Tensor labels = golden.tensor(prefix + "labels");
  if (task == "text-classification") return labels.rows(first, last);
  const auto bounds = golden.tensor(prefix + "offsets").host<int32_t>();
  return labels.rows(bounds[static_cast<size_t>(first)], bounds[static_cast<size_t>(last)]);
}

/// Logits as the loss wants them: of all tokens for masked-lm and token-classification.
inline Tensor golden_logits(const Model& model, const PackedSequences& batch, const nn::Mode& mode) {
  switch (model.head) {
    case Head::sequence_classification:
      return model.network->sequence_logits(batch, mode);
    case Head::token_classification:
      return model.network->token_logits(batch, mode);
    default:
      break;
  }
  std::vector<int32_t> rows(static_cast<size_t>(batch.ids.dim(0)));
  std::iota(rows.begin(), rows.end(), 0);
  const Tensor all = Tensor::from(rows, batch.ids.shape());
  return model.head == Head::causal_lm ? model.network->next_token_logits(batch, all, mode, nullptr)
                                       : model.network->masked_lm_logits(batch, all, mode);
}

/// The gradients of `parameter` as transformers names and cuts them: queries, keys and values are one matrix here.
inline std::vector<NamedTensor> named_gradients(const Model& model, const nn::Parameter& parameter,
                                                const Tensor& gradient) {
  const StoredNames theirs = model.family->stored_names(parameter.name);
  const Tensor stored = theirs.axes.empty() ? gradient : permuted(gradient.to({}), inverse(theirs.axes));
  std::vector<NamedTensor> out;
  int64_t first = 0;
  for (size_t i = 0; i < theirs.names.size(); ++i) {
    const int64_t end = first + theirs.rows_of(i, stored.dim(0));
    out.push_back({(theirs.body ? model.family->body_prefix() : "") + theirs.names[i], stored.rows(first, end)});
    first = end;
  }
  return out;
}

/// Largest difference between two f32 tensors with the same number of elements.
inline double largest_difference(const Tensor& a, const Tensor& b) {
  SUANLI_ASSERT(a.elements() == b.elements());
  const Tensor a_host = a.to({}), b_host = b.to({});
  const auto x = a_host.host<float>(), y = b_host.host<float>();
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double difference = std::abs(static_cast<double>(x[i]) - y[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/// Euclidean norm of an f32 tensor.
inline double norm(const Tensor& a) {
  const Tensor host = a.to({});
  double sum = 0;
  for (const float value : host.host<float>()) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

/// |a - b| / |b| in the Euclidean norm.
inline double relative_distance(const Tensor& a, const Tensor& b) {
  SUANLI_ASSERT(a.elements() == b.elements());
  const Tensor a_host = a.to({}), b_host = b.to({});
  const auto x = a_host.host<float>(), y = b_host.host<float>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += std::pow(static_cast<double>(x[i]) - y[i], 2);
  return std::sqrt(sum) / norm(b);
}

}  // namespace suanli::models
