/// Key points from the heat maps of a network.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/annotated.h"
#include "image/image.h"
#include "image/processor.h"
#include "models/keypoints/heat_map_network.h"
#include "nn/mode.h"

namespace suanli::infer {

constexpr int64_t kMapStride = 4;  ///< pixels of the input a place of a map

/// Where a heat map has its largest value, in pixels of the network's input, and that value.
struct HeatMapPeak {
  Point at;
  double score = 0;
};

/// The peaks of K maps [height, width, K] at a quarter of the input's size: the middle of the largest place, a quarter
/// of a place towards the larger one of its neighbours on each axis (SimpleBaseline, Xiao et al. 2018; HRNet).
std::vector<HeatMapPeak> peaks_of(std::span<const float> maps, int64_t height, int64_t width, int64_t key_points);

/// The square of whole pixels around a box, grown to 5/4 of its longer side.
struct BoxSquare {
  int64_t top, left, side;
};
BoxSquare square_around(const Box& box);

/// A picture of the square around `object` alone, and of no other object.
AnnotatedImage cut_out(AnnotatedImage picture, const ImageObject& object);

/// Throws UserError for a processor whose size or channels are not the model's.
void check_processor(const ImageProcessor& processor, const models::HeatMapConfig& config);

/// The key points of the thing that fills `image`, in its pixels.
std::vector<HeatMapPeak> key_points_in(const Image& image, const models::Network& network,
                                       const models::HeatMapConfig& config, const ImageProcessor& processor,
                                       const Device& device, const nn::Mode& mode);

}  // namespace suanli::infer
