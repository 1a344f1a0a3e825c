/// Which evaluation was the best so far, and whether it is time to give up.
#pragma once

#include "train/arguments.h"
#include "train/metrics.h"
#include "train/trainer_state.h"

namespace suanli {

/// Compares the score metric_for_best_model with the best in `state` and updates best_metric, best_global_step and
/// evaluations_without_progress (which counts evaluations that are not better by more than early_stopping_threshold).
/// A score that is not a number is never better. Returns whether this evaluation is the best.
/// Throws UserError listing the scores when there is none of that name.
bool judge(const Scores& scores, const TrainArguments& arguments, TrainerState* state);

}  // namespace suanli
