/// What a model's watch sees of inputs and answers: the features that training puts into a baseline profile.
#pragma once

#include "data/table_encoder.h"
#include "image/image.h"
#include "infer/prediction.h"
#include "serve/predicting_model.h"
#include "serve/served_model.h"

namespace suanli::serve {

/// Of texts and what was computed of them; of questions about contexts the texts and their windows alone.
void observe_texts(ServedModel& model, const Question& question, const Answers& answers);

/// Of a row, `cells` in the order of the encoder's columns: numbers, and categories, "" where there is none; no dates.
Features row_features(const TableEncoder& encoder, std::span<const std::string> cells);
/// Of a picture as it was decoded.
Features picture_features(const Image& image);
/// The features of each input with its prediction and, of classifiers, the probability of the class that was chosen.
void observe_predictions(PredictingModel& model, const std::string& request_id, std::span<const Features> inputs,
                         std::span<const infer::Prediction> answers);

}  // namespace suanli::serve
