/// `suanli generate` with a model that makes pictures.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// Writes a grid of `num_images` pictures, made of random numbers by `seed`, as a PNG to `output`. Returns the exit
/// code.
int generate_images(const Config& config);

}  // namespace suanli::cli
