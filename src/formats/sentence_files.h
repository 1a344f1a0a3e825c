/// The files that make a model folder a sentence-transformers folder: modules.json, 1_Pooling/config.json and friends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace suanli {

enum class SentencePooling { mean, cls, max };

/// How token vectors become one sentence vector.
struct SentenceFiles {
  SentencePooling pooling = SentencePooling::mean;
  bool normalize = false;          ///< to length 1 (Euclidean)
  int64_t dimension = 0;           ///< size of a token vector
  int64_t max_length = 0;          ///< tokens, special ones included; 0 where the files do not say
  std::string transformer_folder;  ///< of config.json and the weights, relative; empty for the folder itself
};

/// Reads the files of `folder`; nothing where it has no modules.json. Throws UserError (naming the file) for a module
/// or pooling mode other than these, a path that leaves the folder, or a malformed file.
std::optional<SentenceFiles> read_sentence_files(const std::filesystem::path& folder);

/// Writes modules.json, 1_Pooling/config.json, sentence_bert_config.json and config_sentence_transformers.json, in the
/// form that sentence-transformers reads since version 2. The weights are expected in `folder` itself.
/// Throws EnvironmentError.
void write_sentence_files(const std::filesystem::path& folder, const SentenceFiles& files);

}  // namespace suanli
