#include "data/image_dataset.h"

#include <map>

#include "base/concat.h"
#include "base/error.h"
#include "data/idx.h"

namespace suanli {

ImageDataset read_idx_images(const std::filesystem::path& images) {
  static const std::string kImages = "images-idx3", kLabels = "labels-idx1";
  std::string name = images.filename().string();
  const size_t at = name.find(kImages);
  if (at == std::string::npos) {
    throw UserError(images.string(), "expected \"images-idx3\" in the name, as in train-images-idx3-ubyte.gz");
  }
  name.replace(at, kImages.size(), kLabels);
  const IdxArray pixels = read_idx(images), labels = read_idx(images.parent_path() / name);
  if (pixels.shape.size() != 3 || labels.shape.size() != 1 || labels.shape[0] != pixels.shape[0]) {
    throw UserError(images.string(),
                    concat("expected images [N, height, width] and as many labels, got rank ", pixels.shape.size(),
                           " with ", pixels.shape[0], " images and ", labels.values.size(), " labels"));
  }
  const int64_t height = pixels.shape[1], width = pixels.shape[2];
  ImageDataset dataset;
  int32_t classes = 0;
  for (int64_t i = 0; i < pixels.shape[0]; ++i) {
    ImageExample& example = dataset.examples.emplace_back();
    const auto begin = pixels.values.begin() + i * height * width;
    example.image.height = height;
    example.image.width = width;
    example.image.channels = 1;
    example.image.values.assign(begin, begin + height * width);
    example.label = labels.values[static_cast<size_t>(i)];
    classes = std::max(classes, example.label + 1);
  }
  for (int32_t i = 0; i < classes; ++i) dataset.class_names.push_back(std::to_string(i));
  return dataset;
}

ImageDataset read_masked_images(const std::filesystem::path& folder) {
  constexpr std::string_view kMask = "_mask";
  ImageDataset all = read_image_folder(folder), pictures;
  std::map<std::filesystem::path, std::filesystem::path> masks;  // by the picture without its ending
  for (ImageExample& example : all.examples) {
    const std::string stem = example.file.stem().string();
    if (example.mask.empty() && stem.ends_with(kMask)) {
      masks[example.file.parent_path() / stem.substr(0, stem.size() - kMask.size())] = example.file;
    } else {
      pictures.examples.push_back(std::move(example));
    }
  }
  for (ImageExample& example : pictures.examples) {
    if (!example.mask.empty()) continue;
    auto found = masks.extract(example.file.parent_path() / example.file.stem());
    if (found.empty()) {
      throw UserError(example.file.string(), concat("expected a mask of this picture: ", example.file.stem().string(),
                                                    "_mask.png beside it, or mask_file_name in metadata.jsonl"));
    }
    example.mask = found.mapped();
  }
  if (!masks.empty()) throw UserError(masks.begin()->second.string(), "expected the picture of this mask beside it");
  return pictures;
}

ImageDataset read_classified_images(const std::filesystem::path& file_or_folder) {
  ImageDataset dataset = std::filesystem::is_directory(file_or_folder) ? read_image_folder(file_or_folder)
                                                                       : read_idx_images(file_or_folder);
  for (const ImageExample& example : dataset.examples) {
    if (example.label < 0) {
      throw UserError(example.file.string(),
                      "expected a class: a folder of its name around the picture, or a label in metadata.jsonl");
    }
  }
  return dataset;
}

Image load_image(const ImageExample& example, const DecodeOptions& options) {
  if (!example.file.empty()) return read_image(example.file, options);
  const bool stored = options.channels == Channels::stored;
  return stored ? example.image : with_channels(example.image, static_cast<int64_t>(options.channels));
}

AnnotatedImage load_annotated(const ImageExample& example, const DecodeOptions& options) {
  AnnotatedImage annotated{load_image(example, options), example.objects, {}};
  if (example.mask.empty()) return annotated;
  annotated.mask = read_mask(example.mask, options);
  const Image& image = annotated.image;
  if (annotated.mask.height != image.height || annotated.mask.width != image.width) {
    throw UserError(example.mask.string(),
                    concat("expected a mask of ", image.width, " x ", image.height, " pixels as its picture, got ",
                           annotated.mask.width, " x ", annotated.mask.height));
  }
  return annotated;
}

}  // namespace suanli
