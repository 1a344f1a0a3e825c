/// The index of an answers file: taken from its folder where it still fits, else built and written there.
#pragma once

#include <filesystem>
#include <vector>

#include "apps/answer_index.h"
#include "apps/answers.h"
#include "infer/text_model.h"

namespace suanli::apps {

/// What an index is made from: SHA-256 of the answers and of the encoder's files, precision and length of texts.
Json answer_index_key(const std::filesystem::path& answers_file, const std::filesystem::path& encoder,
                      const infer::TextModelOptions& options);

/// Questions, and questions with their answers, through the encoder. The log says when an index is built, and why; one
/// that cannot be written is used all the same, with a warning. Throws UserError for what is no encoder.
AnswerIndex open_answer_index(const std::filesystem::path& folder, const Json& key, const std::vector<Answer>& answers,
                              const std::filesystem::path& encoder, const infer::TextModelOptions& options);

}  // namespace suanli::apps
