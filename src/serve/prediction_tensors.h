/// Rows, pictures and series as tensors of the Open Inference Protocol.
#pragma once

#include <string>
#include <vector>

#include "serve/open_inference.h"
#include "serve/predicting_model.h"

namespace suanli::serve {

/// Of a table one input a column (FP64, INT64 or BYTES [rows]), or "rows": a JSON object each. Of pictures "image":
/// UINT8 [pictures, height, width, 3], or BYTES [pictures] of JPEG or PNG. Of a forecaster "series": FP64 [values] or
/// [series, values]; the parameter "horizon" says how many values of the forecast are wanted.
std::vector<TensorInfo> predictor_inputs(const PredictingModel& model);
/// "label", "score" of it and "scores" of all labels; "value"; "forecast"; "detections", "segments" and "key_points" as
/// JSON; "mask" and "picture" as PNG.
std::vector<TensorInfo> predictor_outputs(const PredictingModel& model);

/// Throws RequestError for names, datatypes, shapes and sizes that are not the model's.
std::vector<PreparedInput> items_of(const PredictingModel& model, const std::vector<InferTensor>& inputs);

/// The outputs of these names, of all for none.
std::vector<InferTensor> prediction_outputs(const PredictingModel& model, const Predicted& predicted,
                                            const std::vector<std::string>& names);

}  // namespace suanli::serve
