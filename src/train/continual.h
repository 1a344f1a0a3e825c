/// Learning from new data without forgetting the old: replayed examples and elastic weight consolidation.
#pragma once

#include <cstdint>
#include <vector>

#include "train/dataset.h"

namespace suanli {

/// Appends rows of `old` to `fresh` until they are `ratio` of all (rounded to the nearest row), drawn in the order of a
/// shuffle by `seed`: none twice before each was drawn once. 0 <= ratio < 1; `old` has rows.
void mix_in(Dataset& fresh, const Dataset& old, double ratio, uint64_t seed);

/// lambda/2 sum_i F_i (w_i - w*_i)^2 (Kirkpatrick et al. 2017): w* are the weights as they are when this is made, F_i
/// the mean over examples of the old data of the square of the gradient of one example's loss (the empirical Fisher
/// information), without dropout, in f32.
class ElasticWeightConsolidation {
 public:
  /// Looks at `kMostExamples` rows of `old` at most, evenly spread over it. Leaves no gradients behind. Throws
  /// UserError for old data without a labelled example or with a loss that is not finite.
  ElasticWeightConsolidation(const Task& task, const models::Model& model, const Dataset& old, double lambda);
  static constexpr int64_t kMostExamples = 1024;

  /// [1] f32 on the tape.
  Tensor penalty() const;

 private:
  struct Weight {
    Tensor value;   ///< the parameter
    Tensor root;    ///< sqrt(F)
    Tensor anchor;  ///< sqrt(F) w*
  };
  std::vector<Weight> weights_;
  double lambda_;
};

}  // namespace suanli
