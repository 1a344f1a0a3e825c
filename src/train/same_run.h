/// How the ranks of a run begin: they make sure that they train the same, and take the weights of the first.
#pragma once

#include "dist/communicator.h"
#include "nn/parameters.h"
#include "train/resume.h"

namespace suanli {

/// Compares what decides a run at `position` in `state` over all ranks, and gives all of them the parameters and
/// buffers of rank 0. Throws UserError where they differ, naming what, and EnvironmentError as Communicator does.
void begin_same_run(dist::Communicator& ranks, const RunPosition& position, const TrainerState& state,
                    const nn::Parameters& parameters);

}  // namespace suanli
