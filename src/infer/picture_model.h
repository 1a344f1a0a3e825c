/// A model of pictures: what they show, where, the class of each pixel, key points, or the picture enlarged.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "image/decode.h"
#include "image/processor.h"
#include "infer/prediction.h"

namespace suanli::infer {

class PictureModel {
 public:
  /// A folder with a trained head of pictures and, but for super-resolution, preprocessor_config.json. Throws
  /// UserError.
  PictureModel(const std::string& folder, models::Head head, const std::string& device, const std::string& precision);

  models::Head head() const { return network_.model.head; }
  const models::ModelConfig& config() const { return network_.model.config(); }
  /// Channels and limits of what prepare() wants.
  DecodeOptions decode_options() const;

  /// `image` decoded with decode_options(). Throws UserError. Thread safe.
  Prepared prepare(Image image) const;

  /// By the head, json as `suanli predict` prints it:
  ///   image_classification    {"label", "score"}, with top_k > 1 a list of them; numbers: scores of all labels
  ///   object_detection        detections_text()
  ///   semantic_segmentation   a list of {"label", "score": null, "value"} of the classes that occur; png: a mask of
  ///                           their numbers, 16 bits, as large as the picture
  ///   keypoint_detection      a list of {"x", "y", "score"} in pixels of the picture
  ///   image_super_resolution  {"width", "height"}; png: the picture
  std::vector<Prediction> predict(std::span<const Prepared> pictures, int64_t top_k = 1) const;

 private:
  Tensor pixels(std::span<const Prepared> pictures) const;
  std::vector<Prediction> classes(std::span<const Prepared> pictures, int64_t top_k) const;
  std::vector<Prediction> objects(std::span<const Prepared> pictures) const;
  Prediction mask(const Prepared& picture) const;
  Prediction key_points(const Prepared& picture) const;
  Prediction enlarged_picture(const Prepared& picture) const;

  LoadedNetwork network_;
  ImageProcessor processor_;
};

}  // namespace suanli::infer
