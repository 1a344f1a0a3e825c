/// A small network of heat maps: one for each key point, at a quarter of the picture's size.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "nn/images.h"

namespace suanli::models {

struct HeatMapConfig : ModelConfig {
  int64_t channels = 3;                         ///< "num_channels", 1 or 3
  int64_t key_points = 0;                       ///< "num_keypoints"
  int64_t image_size = 256;                     ///< side of the pictures
  std::vector<int64_t> widths = {32, 64, 128};  ///< "hidden_sizes": channels at 1/4, 1/8, ... of the picture's size
};

/// relu(norm(conv(.))), 3x3.
class NormedConvolution {
 public:
  NormedConvolution(nn::ParameterScope scope, int64_t in, int64_t out, int64_t stride);
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
};

/// The stem halves the picture twice. Down: at each size a residual block, x + convolutions(x), behind a convolution of
/// stride 2. Up again by transposed convolutions, to which what was there on the way down is added (hourglass: Newell
/// et al. 2016; SimpleBaseline: Xiao et al. 2018). A convolution of one pixel gives the maps.
class HeatMapNetwork final : public Network {
 public:
  HeatMapNetwork(nn::ParameterScope scope, const HeatMapConfig& config);
  Tensor heat_maps(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  struct Stage {
    NormedConvolution enter, first, second;
  };
  struct Step {
    nn::ConvTranspose2d widen;
    nn::BatchNorm2d norm;
  };
  NormedConvolution stem_;
  std::vector<Stage> down_;
  std::vector<Step> up_;  ///< the last is that of the largest maps
  nn::Conv2d classifier_;
};

/// Throws UserError for another kind of network, and naming `where` and key for what is out of range.
HeatMapConfig heat_map_config(const Json& json, const std::string& where);

/// "model_type": "heatmap". Throws UserError as heat_map_config() does.
std::unique_ptr<Family> read_heat_map_network(const Json& json, const std::string& where);

}  // namespace suanli::models
