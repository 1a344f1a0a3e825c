#include "cli/predict_key_points.h"

#include "base/concat.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/picture_model.h"
#include "train/key_points.h"
#include "train/task_parts.h"

namespace suanli::cli {

int predict_key_points(const Config& config) {
  const PictureModel loaded = load_picture_model(config, models::Head::keypoint_detection);
  const KeyPoints task(loaded.model, read_picture_processor(config), {});
  Output output(config.get_string("output"));
  for (const std::filesystem::path& file : picture_files(config.get_string("input"))) {
    std::string line = "{\"file\": ";
    append_string(line, file.string());
    line += ", \"key_points\": [";
    const char* separator = "";
    const Image image = read_image(file, task.decode_options());
    for (const HeatMapPeak& peak : task.find(image, loaded.mode)) {
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
