/// The manifest of a run: what would be needed to make it again.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace suanli {

struct ManifestInput {
  std::string role, path;  ///< such as "train_file"; "" paths are left out
};

/// Version, time, host, hardware, build, the resolved configuration, and size and SHA-256 of each input file (of a
/// folder: of config.json, the weights and the tokenizer in it). Throws UserError when an input cannot be read.
Json run_manifest(const Json& configuration, const std::vector<ManifestInput>& inputs);

}  // namespace suanli
