#include "cli/predict_masks.h"

#include <algorithm>
#include <set>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/file.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/picture_model.h"
#include "image/geometry.h"
#include "image/png.h"
#include "train/image_segmentation.h"
#include "train/task_parts.h"

namespace suanli::cli {
namespace {

/// The classes of a letterboxed square [side, side] on the pixels of the picture, each that of its middle.
Mask on_picture(std::span<const float> logits, int64_t classes, int64_t side, int64_t height, int64_t width) {
  const LetterboxPlace place = letterbox_place(height, width, side, side);
  Mask mask(height, width, 1);
  for (int64_t y = 0; y < height; ++y) {
    const int64_t row = place.top + (2 * y + 1) * place.height / (2 * height);
    for (int64_t x = 0; x < width; ++x) {
      const int64_t column = place.left + (2 * x + 1) * place.width / (2 * width);
      *mask.at(y, x) = static_cast<uint16_t>(largest(logits, row * side + column, classes));
    }
  }
  return mask;
}

/// A name in `folder` that no earlier picture has taken: STEM.png, else STEM_2.png, ...
std::filesystem::path mask_file(const std::filesystem::path& folder, const std::filesystem::path& picture,
                                std::set<std::string>* taken) {
  std::string name = picture.stem().string() + ".png";
  for (int i = 2; !taken->insert(name).second; ++i) name = concat(picture.stem().string(), "_", i, ".png");
  return folder / name;
}

std::string line_of(const std::filesystem::path& picture, const std::filesystem::path& file, const Mask& mask,
                    const std::vector<std::string>& labels) {
  std::string line = "{\"file\": ", separator;
  append_string(line, picture.string());
  line += ", \"mask\": ";
  append_string(line, file.string());
  line += ", \"segments\": [";
  for (const uint16_t label : std::set<uint16_t>(mask.values.begin(), mask.values.end())) {
    line += separator + "{\"label\": ";
    append_string(line, labels[label]);
    line += concat(", \"score\": null, \"value\": ", label, "}");
    separator = ", ";
  }
  return line + "]}\n";
}

}  // namespace

int predict_masks(const Config& config) {
  const std::filesystem::path out = config.get_string("output_dir");
  const PictureModel loaded = load_picture_model(config, models::Head::semantic_segmentation);
  const ImageSegmentation task(loaded.model, read_picture_processor(config), {});
  const auto classes = static_cast<int64_t>(task.labels().size());

  std::filesystem::create_directories(out);
  Output output(config.get_string("output"));
  std::set<std::string> taken;
  for (const std::filesystem::path& picture : picture_files(config.get_string("input"))) {
    ImageExample example;
    example.image = read_image(picture);
    const NoGradient guard;
    const EncodedExample row = task.unlabelled(example);
    const std::vector<float> logits = host_values(task.logits(task.inputs(pack({&row, 1})), loaded.mode));
    const Mask mask = on_picture(logits, classes, task.side(), example.image.height, example.image.width);
    const std::filesystem::path file = mask_file(out, picture, &taken);
    write_file_atomically(file, encode_png(mask));
    output.write(line_of(picture, file, mask, task.labels()));
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli
