#include "models/image_labels.h"

#include "base/error.h"

namespace suanli::models {

void read_image_config(const Json& json, const std::string& where, ModelConfig& config) {
  config.json = json;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
}

void check_image_head(const char* family, Head head) {
  if (head == Head::image_classification) return;
  throw UserError("model", std::string("expected the task image-classification for ") + family + ", got another one");
}

}  // namespace suanli::models
