/// What config.json says whatever the family, and the pieces that every family reads it with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace suanli::models {

/// What stands on the body of a model.
enum class Head {
  none,
  masked_lm,
  causal_lm,
  sequence_classification,
  token_classification,
  question_answering,
  image_classification,
  semantic_segmentation,
  object_detection,
  image_generation,
  image_super_resolution,
  keypoint_detection
};

/// True for the heads that answer with what a picture shows, or with a picture.
constexpr bool reads_pictures(Head head) {
  return head == Head::image_classification || head == Head::semantic_segmentation || head == Head::object_detection ||
         head == Head::image_super_resolution || head == Head::keypoint_detection;
}

struct ModelConfig {
  Json json = {};                        ///< the file as it was read: unknown keys survive a round trip
  std::vector<std::string> labels = {};  ///< id2label, in order of id
  /// "", "regression", "single_label_classification", "multi_label_classification"
  std::string problem_type = {};

  // Of models over tokens; 0 for the others.
  int64_t vocab_size = 0;
  int64_t type_vocab_size = 0;  ///< 0: no token types
  int64_t hidden_size = 0;
  int64_t longest_sequence = 0;  ///< tokens that have a position
};

/// The integer at `key`, in `least`..2^31. Throws UserError naming `where` and key, as the others do.
int64_t config_size(const Json& json, const char* key, int64_t least, const std::string& where);
/// The number at `key` in [0, 1), or `otherwise`.
float config_probability(const Json& json, const char* key, double otherwise, const std::string& where);
/// id2label in order of id; else LABEL_0, ... as many as num_labels says, or two for a classifier.
std::vector<std::string> config_labels(const Json& json, const std::string& where);

/// How many classes a classifier has. Throws UserError when config.json names none.
int64_t label_count(const ModelConfig& config);

/// The head that config.json's `architectures` names; none when it names a bare model or is missing.
/// Throws UserError for an architecture that is not supported.
Head head_of(const Json& config, const std::string& where);
/// The ending of a class with `head` in transformers: "ForMaskedLM", "Model", ...
const char* head_suffix(Head head);

}  // namespace suanli::models
