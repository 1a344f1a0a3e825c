/// The split of one data set into training, validation and test rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/example.h"

namespace suanli {

/// Row numbers, ascending; together each row exactly once.
struct Split {
  std::vector<int64_t> train, validation, test;
};

struct SplitFractions {
  double validation = 0.0, test = 0.0;  ///< of all rows; the rest is for training
};

/// Splits rows 0 to strata.size() - 1. `strata[i]` is the class of row i: each class gives its share to each part, to
/// within one row of the exact fraction (all zeros: a plain random split). A function of its arguments alone. Throws
/// UserError unless the fractions lie in [0, 1) and leave something to train on.
Split split_rows(std::span<const int64_t> strata, SplitFractions fractions, uint64_t seed);

/// The class of each example for split_rows: the id of its only label, 0 where examples have no or several labels.
std::vector<int64_t> strata_of(std::span<const Example> examples);

}  // namespace suanli
