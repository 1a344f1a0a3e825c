/// The real all-MiniLM-L6-v2 (22.7M parameters) and its golden values; scripts/fetch_model.sh fetches the model.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "models/golden.h"

namespace suanli {

/// The folder that the environment variable SUANLI_MODEL names. Without it the tests fail: what was not checked must
/// not look as if it passed.
inline std::filesystem::path minilm_folder() {
  const char* folder = std::getenv("SUANLI_MODEL");
  if (folder == nullptr || *folder == '\0') {
    throw UserError("SUANLI_MODEL",
                    "expected the folder of all-MiniLM-L6-v2 in this environment variable, which is not set; "
                    "scripts/fetch_model.sh build/model makes one");
  }
  return folder;
}

inline std::filesystem::path minilm_golden_folder() {
  return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/minilm";
}

inline SafetensorsFile minilm_golden() { return SafetensorsFile::open(minilm_golden_folder() / "golden.safetensors"); }

/// MiniLM with its own pooler and the golden head of three labels, ready to train.
inline models::Model minilm_classifier() {
  models::Model model = models::load_model(
      minilm_folder(), {.head = models::Head::sequence_classification, .labels = {"0", "1", "2"}, .trainable = true});
  for (const nn::Parameter& parameter : model.parameters->all()) {
    if (parameter.name.starts_with("classifier")) {
      parameter.value.copy_from(minilm_golden().tensor("head/" + parameter.name));
    }
  }
  return model;
}

}  // namespace suanli
