/// Models of pictures as the verbs use them.
#pragma once

#include "base/config.h"
#include "image/processor.h"
#include "models/load.h"
#include "nn/mode.h"

namespace suanli::cli {

/// A model for inference, and how it computes.
struct PictureModel {
  models::Model model;
  nn::Mode mode;
};

/// The model of --model with its trained head, on --device in --precision. Throws UserError, also for int8.
PictureModel load_picture_model(const Config& config, models::Head head);

/// preprocessor_config.json of --model. Throws UserError.
ImageProcessor read_picture_processor(const Config& config);

}  // namespace suanli::cli
