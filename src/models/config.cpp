#include "models/config.h"

#include "base/error.h"

namespace suanli::models {
namespace {

struct Ending {
  const char* text;
  Head head;
};
constexpr Ending kEndings[] = {{"ForMaskedLM", Head::masked_lm},
                               {"ForCausalLM", Head::causal_lm},
                               {"ForSequenceClassification", Head::sequence_classification},
                               {"ForTokenClassification", Head::token_classification},
                               {"ForQuestionAnswering", Head::question_answering},
                               {"ForImageClassification", Head::image_classification},
                               {"ForSemanticSegmentation", Head::semantic_segmentation},
                               {"ForImageGeneration", Head::image_generation},
                               {"ForObjectDetection", Head::object_detection},
                               {"ForImageSuperResolution", Head::image_super_resolution},
                               {"ForKeypointDetection", Head::keypoint_detection},
                               {"LMHeadModel", Head::causal_lm},
                               {"Model", Head::none}};

}  // namespace

int64_t config_size(const Json& json, const char* key, int64_t least, const std::string& where) {
  const auto value = json_get<int64_t>(json, key, where);
  if (value < least || value > int64_t{1} << 31) {
    throw UserError(where, std::string("expected \"") + key + "\" in " + std::to_string(least) + "..2^31, got " +
                               std::to_string(value));
  }
  return value;
}

float config_probability(const Json& json, const char* key, double otherwise, const std::string& where) {
  const auto value = json_get_or<double>(json, key, otherwise, where);
  if (!(value >= 0 && value < 1)) {
    throw UserError(where, std::string("expected \"") + key + "\" in [0, 1), got " + std::to_string(value));
  }
  return static_cast<float>(value);
}

std::vector<std::string> config_labels(const Json& json, const std::string& where) {
  std::vector<std::string> labels;
  if (json.contains("id2label") && !json["id2label"].is_null()) {
    const Json& table = json["id2label"];
    for (size_t id = 0; id < table.size(); ++id) {
      labels.push_back(json_get<std::string>(table, std::to_string(id), where + " id2label"));
    }
  } else if (json.contains("num_labels")) {
    const int64_t count = config_size(json, "num_labels", 1, where);
    for (int64_t id = 0; id < count; ++id) labels.push_back("LABEL_" + std::to_string(id));
  } else {  // transformers 5 leaves out what is its default
    const auto names = json_get_or<std::vector<std::string>>(json, "architectures", {}, where);
    if (!names.empty() && names.front().ends_with("Classification")) labels = {"LABEL_0", "LABEL_1"};
  }
  return labels;
}

int64_t label_count(const ModelConfig& config) {
  if (config.labels.empty()) {
    throw UserError("config.json", "expected id2label or num_labels for a classifier, got none");
  }
  return static_cast<int64_t>(config.labels.size());
}

Head head_of(const Json& config, const std::string& where) {
  const auto names = json_get_or<std::vector<std::string>>(config, "architectures", {}, where);
  if (names.empty()) return Head::none;
  std::string known;
  for (const Ending& ending : kEndings) {
    if (names.front().ends_with(ending.text)) return ending.head;
    known += (known.empty() ? "" : ", ") + std::string(ending.text);
  }
  throw UserError(where, "expected an architecture that ends in one of " + known + "; got \"" + names.front() + "\"");
}

const char* head_suffix(Head head) {
  for (const Ending& ending : kEndings) {
    if (ending.head == head) return ending.text;
  }
  return "";
}

}  // namespace suanli::models
