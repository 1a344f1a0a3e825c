/// What the logits of a classifier mean.
#pragma once

#include <span>
#include <vector>

namespace suanli::models {

/// p[i] = exp(logits[i] / temperature) / their sum, in f64 (torch.softmax). logits [C], C at least 1, temperature > 0.
std::vector<double> softmax(std::span<const float> logits, double temperature = 1);

}  // namespace suanli::models
