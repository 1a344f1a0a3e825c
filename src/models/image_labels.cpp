#include "models/image_labels.h"

#include "base/error.h"

namespace suanli::models {

void read_image_config(const Json& json, const std::string& where, ModelConfig& config) {
  config.json = json;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
}

int64_t label_count(const ModelConfig& config) {
  if (config.labels.empty()) {
    throw UserError("config.json", "expected id2label or num_labels for a classifier, got none");
  }
  return static_cast<int64_t>(config.labels.size());
}

void check_image_head(const char* family, Head head) {
  if (head == Head::image_classification) return;
  throw UserError("model", std::string("expected the task image-classification for ") + family + ", got another one");
}

}  // namespace suanli::models
