#include "cli/predict_key_points.h"

#include "base/concat.h"
#include "base/error.h"
#include "cli/json_text.h"
#include "cli/picture_files.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/key_points.h"
#include "train/task_parts.h"

namespace suanli::cli {

int predict_key_points(const Config& config) {
  initialize();
  const std::filesystem::path folder = config.get_string("model");
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of pictures, got int8");
  const models::Model model = models::load_model(folder, {.head = models::Head::keypoint_detection, .device = device});
  const KeyPoints task(model, ImageProcessor::read(folder / "preprocessor_config.json"), {});
  Output output(config.get_string("output"));
  for (const std::filesystem::path& file : picture_files(config.get_string("input"))) {
    std::string line = "{\"file\": ";
    append_string(line, file.string());
    line += ", \"key_points\": [";
    const char* separator = "";
    const Image image = read_image(file, task.decode_options());
    for (const HeatMapPeak& peak : task.find(image, {.training = false, .dtype = dtype})) {
      const auto text = [](double value) { return number_text(static_cast<float>(value)); };
      line += concat(separator, "{\"x\": ", text(peak.at.x), ", \"y\": ", text(peak.at.y),
                     ", \"score\": ", text(peak.score), "}");
      separator = ", ";
    }
    output.write(line + "]}\n");
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli
