#include "models/image_labels.h"

#include "base/error.h"

namespace suanli::models {

void read_image_config(const Json& json, const std::string& where, ModelConfig& config) {
  config.json = json;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
}

std::vector<int64_t> config_widths(const Json& json, const char* key, const std::string& where) {
  auto list = json_get<std::vector<int64_t>>(json, key, where);
  for (const int64_t each : list) {
    if (each < 1 || each > 1 << 20) {
      throw UserError(where, std::string("expected \"") + key + "\" in 1..2^20, got " + std::to_string(each));
    }
  }
  return list;
}

bool torchvision_names(const Json& json, const std::string& where) {
  const auto names = json_get_or<std::string>(json, "weight_names", "transformers", where);
  if (names == "transformers" || names == "torchvision") return names == "torchvision";
  throw UserError(where, "expected \"weight_names\" transformers or torchvision, got \"" + names + "\"");
}

void check_stages(int64_t wanted, size_t stages) {
  if (wanted <= static_cast<int64_t>(stages)) return;
  throw UserError("backbone_config", "expected a network of at least " + std::to_string(wanted) + " stages, got " +
                                         std::to_string(stages));
}

void check_image_head(const char* family, Head head) {
  if (head == Head::image_classification) return;
  throw UserError("model", std::string("expected the task image-classification for ") + family + ", got another one");
}

}  // namespace suanli::models
