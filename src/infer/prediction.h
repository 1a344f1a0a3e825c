/// What a model of tables, pictures or series is asked, ready for its network, and what it says.
#pragma once

#include <string>
#include <vector>

#include "data/batch.h"
#include "image/image.h"
#include "models/load.h"
#include "nn/mode.h"

namespace suanli::infer {

/// One row, picture or series.
struct Prepared {
  EncodedExample example = {};
  Image image = {};  ///< of models that need the picture itself
};

/// Memory that it takes while it waits.
size_t bytes_of(const Prepared& prepared);

struct Prediction {
  std::string json;                 ///< as `suanli predict` writes it, less the names of files
  std::string label = {};           ///< of classifiers: the one that is given
  std::vector<float> numbers = {};  ///< scores of all labels, the value of a regression, or the forecast
  std::string png = {};             ///< a mask, or an enlarged picture
};

/// A model for inference and how it computes.
struct LoadedNetwork {
  models::Model model;
  nn::Mode mode;
  Device device;
};

/// On `device` in `precision`, as nn::inference_precision_named() takes it. Throws UserError, also for int8 and for a
/// model without a trained head of that kind.
LoadedNetwork load_network(const std::string& folder, models::Head head, const std::string& device,
                           const std::string& precision);

/// A constant tensor of host values.
Tensor constant_of(std::span<const float> values, const Shape& shape);
/// The values of a floating tensor on the host, as f32.
std::vector<float> values_on_host(const Tensor& tensor);

}  // namespace suanli::infer
