/// Options that tasks of some kinds of input make no use of.
#pragma once

#include "base/config.h"
#include "train/task.h"

namespace suanli {

/// Throws UserError for an option that was given and that this task would ignore.
void refuse_ignored_options(const Config& config, const TaskKind& kind);

}  // namespace suanli
