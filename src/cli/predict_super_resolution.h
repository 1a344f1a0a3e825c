/// Pictures enlarged by a model of super-resolution.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// Writes NAME.png into --output_dir for each picture of --input (picture_files()), and to --output a JSON line for
/// each:
/// {"file", "output", "width", "height"}. Returns the exit code. Throws UserError where no output_dir is given or two
/// pictures have one name.
int predict_super_resolution(const Config& config);

}  // namespace suanli::cli
