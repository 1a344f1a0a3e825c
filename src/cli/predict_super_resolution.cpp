#include "cli/predict_super_resolution.h"

#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "cli/json_text.h"
#include "cli/picture_files.h"
#include "image/png.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/super_resolution.h"

namespace suanli::cli {

int predict_super_resolution(const Config& config) {
  initialize();
  const std::filesystem::path folder = config.get_string("output_dir");
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of pictures, got int8");
  const models::Model model =
      models::load_model(config.get_string("model"), {.head = models::Head::image_super_resolution, .device = device});
  const SuperResolution task(model, {});
  std::filesystem::create_directories(folder);
  Output output(config.get_string("output"));
  std::set<std::filesystem::path> written;
  for (const std::filesystem::path& file : picture_files(config.get_string("input"))) {
    const std::filesystem::path place = folder / file.stem().concat(".png");
    if (!written.insert(place).second) {
      throw UserError(file.string(), concat("expected pictures of different names, ", place.string(), " is taken"));
    }
    const Image enlarged = task.enlarge(read_image(file, task.decode_options()), {.training = false, .dtype = dtype});
    write_png(place, enlarged);
    std::string line = "{\"file\": ";
    append_string(line, file.string());
    line += ", \"output\": ";
    append_string(line, place.string());
    output.write(concat(line, ", \"width\": ", enlarged.width, ", \"height\": ", enlarged.height, "}\n"));
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli
