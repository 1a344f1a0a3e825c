/// Pictures to the numbers that a model takes, as Hugging Face's image processors do it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "image/image.h"
#include "image/resize.h"

namespace suanli {

/// The preprocessor_config.json of a vision model. Defaults are those of ViTImageProcessor.
struct ImageProcessor {
  std::string image_processor_type = "ViTImageProcessor";
  bool do_resize = true;
  int64_t height = 224, width = 224;  ///< size: {"height", "width"}; 0 where the edges below are given
  int64_t shortest_edge = 0;          ///< size: the shorter side, the other in proportion
  int64_t longest_edge = 0;           ///< with shortest_edge: a bound on the longer side
  Resample resample = Resample::bilinear;
  double crop_pct = 0;  ///< ConvNext: resize to shortest_edge / crop_pct, then crop; 0: not
  bool do_center_crop = false;
  int64_t crop_height = 0, crop_width = 0;  ///< crop_size
  bool do_rescale = true;
  double rescale_factor = 1.0 / 255;
  bool do_normalize = true;
  std::vector<double> image_mean = {0.5, 0.5, 0.5}, image_std = {0.5, 0.5, 0.5};  ///< one a channel; one for grey

  /// From the file's content; keys that are missing keep their defaults, keys of other processors are passed over.
  /// Throws UserError at `where` for values that make no sense.
  static ImageProcessor from_json(const Json& json, std::string_view where);
  static ImageProcessor read(const std::filesystem::path& file);
  Json to_json() const;

  /// The channels of a picture for it: 1 or 3.
  int64_t channels() const { return static_cast<int64_t>(image_mean.size()); }

  /// The size that a picture of `rows` x `columns` has for the model: {height, width}.
  std::pair<int64_t, int64_t> output_size(int64_t rows, int64_t columns) const;

  /// The picture as the model sees it, before it becomes real numbers: resized and cropped.
  Image resized(const Image& image) const;

  /// u8 [H, W, C] -> f32 [C, H, W]: times rescale_factor, less image_mean, over image_std; each rounded to f32 as
  /// NumPy does there. `values` has H W C numbers.
  void pixel_values(const Image& image, std::span<float> values) const;

  /// The values of numbers back in a picture, rounded: samples and overlays of reports. f32 [C, H, W] -> u8 [H, W, C].
  Image picture(std::span<const float> values, int64_t rows, int64_t columns) const;

 private:
  std::pair<int64_t, int64_t> resized_size(int64_t rows, int64_t columns) const;
};

}  // namespace suanli
