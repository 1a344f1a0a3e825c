/// What a training step leaves in the state of its run: loss, tokens and operations, or why it changed nothing.
#pragma once

#include "models/load.h"
#include "train/train_step.h"
#include "train/trainer_state.h"

namespace suanli {

/// Counts a step of `model` at `learning_rate`, moves the loss scale of a run in f16, and logs a step that left the
/// weights as they were: as an overflow where a smaller scale may help, else as one more of at most `max_nan_steps` in
/// a row.
void count_step(const StepResult& result, const models::Model& model, double learning_rate, int64_t max_nan_steps,
                TrainerState* state);

}  // namespace suanli
