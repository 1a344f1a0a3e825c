#include "models/super_resolution/config.h"

#include "base/concat.h"
#include "base/error.h"
#include "models/super_resolution/edsr.h"
#include "models/super_resolution/srcnn.h"

namespace suanli::models {

SuperResolutionConfig super_resolution_config(const Json& json, const std::string& where) {
  const auto type = json_get_or<std::string>(json, "model_type", "", where);
  if (type == "edsr") return edsr_config(json, where);
  if (type == "srcnn") return srcnn_config(json, where);
  throw UserError(where,
                  concat("expected a network that enlarges pictures, model_type edsr or srcnn, got \"", type, '"'));
}

void read_super_resolution(const Json& json, const std::string& where, SuperResolutionConfig& config) {
  config.json = json;
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (config.channels != 1 && config.channels != 3) {
    throw UserError(where, concat("expected \"num_channels\" 1 or 3, got ", config.channels));
  }
  if (json.contains("upscale")) config.upscale = config_size(json, "upscale", 1, where);
  if (config.upscale < 2 || config.upscale > 4) {
    throw UserError(where, concat("expected \"upscale\" 2, 3 or 4, got ", config.upscale));
  }
}

void check_super_resolution_head(Head head) {
  if (head == Head::image_super_resolution) return;
  throw UserError("model",
                  "expected the task image-super-resolution for a network that enlarges pictures, got another one");
}

}  // namespace suanli::models
