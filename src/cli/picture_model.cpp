#include "cli/picture_model.h"

#include "base/error.h"
#include "nn/precision.h"
#include "ops/initialize.h"

namespace suanli::cli {

PictureModel load_picture_model(const Config& config, models::Head head) {
  initialize();
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of pictures, got int8");
  return {models::load_model(config.get_string("model"), {.head = head, .device = device}),
          {.training = false, .dtype = dtype}};
}

ImageProcessor read_picture_processor(const Config& config) {
  return ImageProcessor::read(std::filesystem::path(config.get_string("model")) / "preprocessor_config.json");
}

}  // namespace suanli::cli
