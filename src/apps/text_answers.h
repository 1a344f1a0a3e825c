/// Models asked directly, without a server: for indexes that are built, evaluations and replays.
#pragma once

#include <string>
#include <vector>

#include "infer/text_model.h"

namespace suanli::apps {

/// One vector of length 1 a text; texts are cut to what the model takes.
std::vector<std::vector<float>> embed_texts(const infer::TextModel& model, const std::vector<std::string>& texts);

/// One score in 0..1 a label for each text (infer::label_scores).
std::vector<std::vector<double>> classify_texts(const infer::TextModel& model, const std::vector<std::string>& texts);

}  // namespace suanli::apps
