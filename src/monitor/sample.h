/// Numbers in ascending order with how many each stands for: what the tests of drift compare.
#pragma once

#include <vector>

namespace suanli::monitor {

struct Sample {
  std::vector<double> values;   ///< ascending; equal ones may stand in it more than once
  std::vector<double> weights;  ///< of each, above 0
  double count = 0;             ///< their sum
};

/// Finite values, in any order, each for itself or with its weight.
Sample sample_of(std::vector<double> values);
Sample sample_of(std::vector<double> values, std::vector<double> weights);

/// All of both.
Sample joined(const Sample& a, const Sample& b);

}  // namespace suanli::monitor
