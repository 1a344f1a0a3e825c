#include "image/processor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "image/geometry.h"

namespace suanli {
namespace {

constexpr int64_t kLongestSide = 1 << 16;

int64_t side(const Json& object, std::string_view key, std::string_view where) {
  const auto value = json_get_or<int64_t>(object, key, 0, where);
  if (value < 0 || value > kLongestSide) {
    throw UserError(where, concat("expected \"", key, "\" from 1 to ", kLongestSide, ", got ", value));
  }
  return value;
}

std::vector<double> per_channel(const Json& json, std::string_view key, std::vector<double> otherwise,
                                std::string_view where) {
  const auto found = json.find(key);
  if (found != json.end() && found->is_number()) return {found->get<double>()};
  return json_get_or(json, key, std::move(otherwise), where);
}

/// Hugging Face's get_size_with_aspect_ratio (with a bound) and get_resize_output_image_size.
std::pair<int64_t, int64_t> size_of_edges(int64_t height, int64_t width, int64_t shortest, int64_t longest) {
  const int64_t small = std::min(height, width), large = std::max(height, width);
  const double ratio = static_cast<double>(large) / static_cast<double>(small);
  double exact = static_cast<double>(shortest);
  if (longest > 0 && ratio * exact > static_cast<double>(longest)) {
    exact = static_cast<double>(longest * small) / static_cast<double>(large);
  }
  const int64_t edge = std::max<int64_t>(1, std::llrint(exact));
  const auto other = static_cast<int64_t>(exact * static_cast<double>(large) / static_cast<double>(small));
  const int64_t bounded = std::clamp<int64_t>(other, 1, kLongestSide);
  return height <= width ? std::pair{edge, bounded} : std::pair{bounded, edge};
}

}  // namespace

ImageProcessor ImageProcessor::from_json(const Json& json, std::string_view where) {
  ImageProcessor p;
  p.image_processor_type = json_get_or(json, "image_processor_type", p.image_processor_type, where);
  p.do_resize = json_get_or(json, "do_resize", p.do_resize, where);
  if (const auto size = json.find("size"); size != json.end() && size->is_number()) {
    p.height = p.width = side(json, "size", where);
  } else if (size != json.end() && !size->is_null()) {
    p.height = side(*size, "height", where);
    p.width = side(*size, "width", where);
    p.shortest_edge = side(*size, "shortest_edge", where);
    p.longest_edge = side(*size, "longest_edge", where);
  }
  if (p.do_resize && p.shortest_edge == 0 && (p.height == 0 || p.width == 0)) {
    throw UserError(where, "expected \"size\" with \"height\" and \"width\", or with \"shortest_edge\"");
  }
  const auto resample = json_get_or<int64_t>(json, "resample", 2, where);
  if (resample < 0 || resample > 5) {
    throw UserError(where, concat("expected \"resample\" from 0 to 5 (PIL.Image.Resampling), got ", resample));
  }
  p.resample = static_cast<Resample>(resample);
  p.crop_pct = json_get_or(json, "crop_pct", 0.0, where);
  if (!(p.crop_pct >= 0 && p.crop_pct <= 1)) {
    throw UserError(where, concat("expected \"crop_pct\" from 0 to 1, got ", p.crop_pct));
  }
  p.do_center_crop = json_get_or(json, "do_center_crop", false, where);
  if (const auto size = json.find("crop_size"); size != json.end() && size->is_number()) {
    p.crop_height = p.crop_width = side(json, "crop_size", where);
  } else if (size != json.end() && !size->is_null()) {
    p.crop_height = side(*size, "height", where);
    p.crop_width = side(*size, "width", where);
  }
  if (p.do_center_crop && (p.crop_height == 0 || p.crop_width == 0)) {
    throw UserError(where, "expected \"crop_size\" with \"height\" and \"width\" beside do_center_crop");
  }
  p.do_rescale = json_get_or(json, "do_rescale", p.do_rescale, where);
  p.rescale_factor = json_get_or(json, "rescale_factor", p.rescale_factor, where);
  p.do_normalize = json_get_or(json, "do_normalize", p.do_normalize, where);
  p.image_mean = per_channel(json, "image_mean", p.image_mean, where);
  p.image_std = per_channel(json, "image_std", p.image_std, where);
  if (p.image_mean.size() != p.image_std.size() || (p.channels() != 1 && p.channels() != 3)) {
    throw UserError(where, concat("expected 1 or 3 numbers in image_mean and image_std each, got ", p.image_mean.size(),
                                  " and ", p.image_std.size()));
  }
  if (std::any_of(p.image_std.begin(), p.image_std.end(), [](double s) { return !(s > 0); })) {
    throw UserError(where, "expected numbers above 0 in image_std");
  }
  return p;
}

ImageProcessor ImageProcessor::read(const std::filesystem::path& file) {
  return from_json(read_json(file), file.string());
}

Json ImageProcessor::to_json() const {
  Json json = {{"image_processor_type", image_processor_type},
               {"do_resize", do_resize},
               {"resample", static_cast<int>(resample)},
               {"do_center_crop", do_center_crop},
               {"do_rescale", do_rescale},
               {"rescale_factor", rescale_factor},
               {"do_normalize", do_normalize},
               {"image_mean", image_mean},
               {"image_std", image_std}};
  if (shortest_edge > 0) {
    json["size"] = {{"shortest_edge", shortest_edge}};
    if (longest_edge > 0) json["size"]["longest_edge"] = longest_edge;
  } else {
    json["size"] = {{"height", height}, {"width", width}};
  }
  if (crop_height > 0) json["crop_size"] = {{"height", crop_height}, {"width", crop_width}};
  if (crop_pct > 0) json["crop_pct"] = crop_pct;
  return json;
}

namespace {
constexpr int64_t kUncropped = 384;  // ConvNext resizes to a square from here on, and crops below
}

std::pair<int64_t, int64_t> ImageProcessor::resized_size(int64_t rows, int64_t columns) const {
  if (!do_resize) return {rows, columns};
  if (shortest_edge == 0) return {height, width};
  if (crop_pct == 0) return size_of_edges(rows, columns, shortest_edge, longest_edge);
  if (shortest_edge >= kUncropped) return {shortest_edge, shortest_edge};
  return size_of_edges(rows, columns, static_cast<int64_t>(static_cast<double>(shortest_edge) / crop_pct), 0);
}

std::pair<int64_t, int64_t> ImageProcessor::output_size(int64_t rows, int64_t columns) const {
  if (do_center_crop) return {crop_height, crop_width};
  if (do_resize && shortest_edge > 0 && crop_pct > 0) return {shortest_edge, shortest_edge};
  return resized_size(rows, columns);
}

Image ImageProcessor::resized(const Image& image) const {
  const auto [rows, columns] = resized_size(image.height, image.width);
  Image result = resize(image, rows, columns, resample);
  if (do_resize && shortest_edge > 0 && crop_pct > 0) result = center_crop(result, shortest_edge, shortest_edge);
  return do_center_crop ? center_crop(result, crop_height, crop_width) : result;
}

void ImageProcessor::pixel_values(const Image& image, std::span<float> values) const {
  SUANLI_ASSERT(image.channels == channels() && values.size() == image.values.size());
  const size_t pixels = static_cast<size_t>(image.height * image.width), depth = static_cast<size_t>(channels());
  for (size_t c = 0; c < depth; ++c) {
    std::array<float, 256> table;
    for (int v = 0; v < 256; ++v) {
      float value = do_rescale ? static_cast<float>(v * rescale_factor) : static_cast<float>(v);
      if (do_normalize) value = (value - static_cast<float>(image_mean[c])) / static_cast<float>(image_std[c]);
      table[static_cast<size_t>(v)] = value;
    }
    for (size_t i = 0; i < pixels; ++i) values[c * pixels + i] = table[image.values[i * depth + c]];
  }
}

Image ImageProcessor::picture(std::span<const float> values, int64_t rows, int64_t columns) const {
  Image image(rows, columns, channels());
  SUANLI_ASSERT(values.size() == image.values.size());
  const size_t pixels = static_cast<size_t>(rows * columns), depth = static_cast<size_t>(channels());
  for (size_t c = 0; c < depth; ++c) {
    for (size_t i = 0; i < pixels; ++i) {
      double value = values[c * pixels + i];
      if (do_normalize) value = value * image_std[c] + image_mean[c];
      if (do_rescale) value /= rescale_factor;
      image.values[i * depth + c] = static_cast<uint8_t>(value > 0 ? std::min(value, 255.0) + 0.5 : 0);  // NaN is black
    }
  }
  return image;
}

}  // namespace suanli
