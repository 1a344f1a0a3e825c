#include "train/scored_pictures.h"

#include "base/concat.h"
#include "base/file.h"
#include "base/json.h"
#include "image/png.h"

namespace suanli {

Image picture_of(const ImageProcessor& processor, const Batch& batch, size_t b, int64_t side) {
  const auto width = static_cast<size_t>(batch.feature_width), pixels = static_cast<size_t>(side * side);
  const std::span<const float> values = std::span(batch.features).subspan(b * width, width);
  const size_t channels = width / pixels;
  std::vector<float> by_channel(width);
  for (size_t i = 0; i < width; ++i) by_channel[i % channels * pixels + i / channels] = values[i];
  return with_channels(processor.picture(by_channel, side, side), 3);
}

void write_pictures(const std::filesystem::path& folder, std::span<const CaptionedImage> pictures) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::string metadata;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::string name = concat(i + 1, ".png");
    write_png(folder / name, pictures[i].image);
    metadata += Json({{"file_name", name}, {"text", pictures[i].caption}}).dump() + "\n";
  }
  write_file_atomically(folder / "metadata.jsonl", metadata);
}

}  // namespace suanli
