#include "infer/picture_model.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "base/json_text.h"
#include "data/model_input.h"
#include "image/png.h"
#include "infer/enlarge.h"
#include "infer/found_objects.h"
#include "infer/heat_map_peaks.h"
#include "infer/predictions.h"

namespace suanli::infer {
namespace {

/// The classes of a letterboxed square [side, side] on the pixels of the picture, each that of its middle.
Mask classes_on_picture(std::span<const float> logits, size_t classes, int64_t side, int64_t height, int64_t width) {
  const LetterboxPlace place = letterbox_place(height, width, side, side);
  Mask mask(height, width, 1);
  for (int64_t y = 0; y < height; ++y) {
    const int64_t row = place.top + (2 * y + 1) * place.height / (2 * height);
    for (int64_t x = 0; x < width; ++x) {
      const int64_t column = place.left + (2 * x + 1) * place.width / (2 * width);
      const auto own = logits.subspan(static_cast<size_t>(row * side + column) * classes, classes);
      *mask.at(y, x) = static_cast<uint16_t>(std::ranges::max_element(own) - own.begin());
    }
  }
  return mask;
}

}  // namespace

PictureModel::PictureModel(const std::string& folder, models::Head head, const std::string& device,
                           const std::string& precision)
    : network_(load_network(folder, head, device, precision)) {
  if (head == models::Head::image_super_resolution) return;
  processor_ = ImageProcessor::read(std::filesystem::path(folder) / "preprocessor_config.json");
  if (head == models::Head::keypoint_detection) {
    check_processor(processor_, models::heat_map_config(config().json, folder + "/config.json"));
    return;
  }
  const bool one_size = processor_.output_size(100, 200) == processor_.output_size(200, 100);
  const bool square = head == models::Head::image_classification ||
                      (processor_.height > 0 && processor_.height == processor_.width && !processor_.do_center_crop);
  if (!one_size || !square) {
    throw UserError(folder + "/preprocessor_config.json",
                    "expected pictures of one size, and squares of whole pictures for all but classification");
  }
}

DecodeOptions PictureModel::decode_options() const {
  if (head() != models::Head::image_super_resolution) return suanli::decode_options(processor_);
  const models::SuperResolutionConfig config = models::super_resolution_config(this->config().json, "config.json");
  return {.channels = config.channels == 1 ? Channels::grey : Channels::rgb};
}

Prepared PictureModel::prepare(Image image) const {
  Prepared out;
  if (head() == models::Head::keypoint_detection || head() == models::Head::image_super_resolution) {
    out.image = std::move(image);
    return out;
  }
  const ImageExample picture{.file = {}, .image = std::move(image)};
  const ImageInputOptions options{processor_, {}};
  if (head() == models::Head::image_classification) {
    const ClassifiedInput input = classified_input({&picture, 1}, 0, options, {});
    out.example.features = channels_last(input.pixel_values, input.channels);
    return out;
  }
  const AnnotatedInput input = annotated_input({&picture, 1}, 0, processor_.height, options, {});
  out.example.features = channels_last(input.pixel_values, input.channels);
  out.example.targets = {static_cast<float>(input.picture_height), static_cast<float>(input.picture_width)};
  return out;
}

Tensor PictureModel::pixels(std::span<const Prepared> pictures) const {
  std::vector<float> values;
  for (const Prepared& each : pictures) {
    values.insert(values.end(), each.example.features.begin(), each.example.features.end());
  }
  const auto [height, width] = head() == models::Head::image_classification
                                   ? processor_.output_size(1, 1)
                                   : std::pair{processor_.height, processor_.height};
  return constant_of(values, {std::ssize(pictures), height, width, processor_.channels()}).on(network_.device);
}

std::vector<Prediction> PictureModel::classes(std::span<const Prepared> pictures, int64_t top_k) const {
  const std::vector<float> logits =
      values_on_host(network_.model.network->image_logits(pixels(pictures), network_.mode));
  const auto width = static_cast<size_t>(models::label_count(config()));
  std::vector<Prediction> out(pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    const auto own = std::span(logits).subspan(i * width, width);
    const std::vector<double> scores = label_scores(config(), own);
    out[i].numbers.assign(scores.begin(), scores.end());
    out[i].label = config().labels[static_cast<size_t>(std::ranges::max_element(scores) - scores.begin())];
    append_classification(out[i].json, config(), own, top_k);
  }
  return out;
}

std::vector<Prediction> PictureModel::objects(std::span<const Prepared> pictures) const {
  const auto found = network_.model.network->detect(pixels(pictures), network_.mode);
  std::vector<Prediction> out(pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    const auto& sides = pictures[i].example.targets;
    const SquarePlace place(static_cast<int64_t>(sides[0]), static_cast<int64_t>(sides[1]), processor_.height);
    out[i].json = detections_text(on_picture(found[i], place), config().labels);
  }
  return out;
}

Prediction PictureModel::mask(const Prepared& picture) const {
  const auto& sides = picture.example.targets;
  const std::vector<float> logits =
      values_on_host(network_.model.network->pixel_logits(pixels({&picture, 1}), network_.mode));
  const Mask classes = classes_on_picture(logits, config().labels.size(), processor_.height,
                                          static_cast<int64_t>(sides[0]), static_cast<int64_t>(sides[1]));
  Prediction out{.json = "[", .png = encode_png(classes)};
  for (const uint16_t label : std::set<uint16_t>(classes.values.begin(), classes.values.end())) {
    out.json += out.json.size() > 1 ? ", {\"label\": " : "{\"label\": ";
    append_string(out.json, config().labels[label]);
    out.json += concat(", \"score\": null, \"value\": ", label, "}");
  }
  out.json += ']';
  return out;
}

Prediction PictureModel::key_points(const Prepared& picture) const {
  const models::HeatMapConfig heat_maps = models::heat_map_config(config().json, "config.json");
  Prediction out{.json = "["};
  for (const HeatMapPeak& peak :
       key_points_in(picture.image, *network_.model.network, heat_maps, processor_, network_.device, network_.mode)) {
    out.json += out.json.size() > 1 ? ", {\"x\": " : "{\"x\": ";
    append_number(out.json, static_cast<float>(peak.at.x));
    out.json += ", \"y\": ";
    append_number(out.json, static_cast<float>(peak.at.y));
    out.json += ", \"score\": ";
    append_number(out.json, static_cast<float>(peak.score));
    out.json += '}';
  }
  out.json += ']';
  return out;
}

Prediction PictureModel::enlarged_picture(const Prepared& picture) const {
  const models::SuperResolutionConfig how = models::super_resolution_config(config().json, "config.json");
  const Image large = enlarged(picture.image, *network_.model.network, how, network_.device, network_.mode);
  return {.json = concat("{\"width\": ", large.width, ", \"height\": ", large.height, "}"), .png = encode_png(large)};
}

std::vector<Prediction> PictureModel::predict(std::span<const Prepared> pictures, int64_t top_k) const {
  const NoGradient guard;
  if (head() == models::Head::image_classification) return classes(pictures, top_k);
  if (head() == models::Head::object_detection) return objects(pictures);
  std::vector<Prediction> out;
  for (const Prepared& each : pictures) {
    out.push_back(head() == models::Head::semantic_segmentation ? mask(each)
                  : head() == models::Head::keypoint_detection  ? key_points(each)
                                                                : enlarged_picture(each));
  }
  return out;
}

}  // namespace suanli::infer
