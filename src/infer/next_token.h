/// From the logits of a place to its token: the processors of transformers' generation, in their order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "formats/generation_config.h"

namespace suanli::infer {

/// Divides the logits of tokens that occur in `ids` by the penalty, or multiplies those below 0 (Keskar et al. 2019).
void penalise_repetition(std::span<float> logits, std::span<const int32_t> ids, double penalty);

/// The largest; the first of equals.
int32_t most_likely(std::span<const float> logits);

/// The probabilities that a token is drawn from: softmax(logits / temperature) over the tokens that top_k, top_p and
/// min_p leave (Fan et al. 2018; Holtzman et al. 2020; Nguyen et al. 2024), 0 for the others.
std::vector<double> sampling_distribution(std::span<const float> logits, const GenerationConfig& config);

/// The token at which the sum of probabilities passes `uniform`, in [0, 1).
int32_t draw(std::span<const double> probabilities, double uniform);

/// log softmax, in f64.
std::vector<double> log_probabilities(std::span<const float> logits);

}  // namespace suanli::infer
