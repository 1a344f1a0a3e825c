#include "cli/predict_super_resolution.h"

#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/picture_model.h"
#include "image/png.h"
#include "train/super_resolution.h"

namespace suanli::cli {

int predict_super_resolution(const Config& config) {
  const std::filesystem::path folder = config.get_string("output_dir");
  const PictureModel loaded = load_picture_model(config, models::Head::image_super_resolution);
  const SuperResolution task(loaded.model, {});
  std::filesystem::create_directories(folder);
  Output output(config.get_string("output"));
  std::set<std::filesystem::path> written;
  for (const std::filesystem::path& file : picture_files(config.get_string("input"))) {
    const std::filesystem::path place = folder / file.stem().concat(".png");
    if (!written.insert(place).second) {
      throw UserError(file.string(), concat("expected pictures of different names, ", place.string(), " is taken"));
    }
    const Image enlarged = task.enlarge(read_image(file, task.decode_options()), loaded.mode);
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
