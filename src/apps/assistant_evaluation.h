/// How good customer service is on messages whose intent, or whose question among the answers, is known.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/assistant.h"
#include "apps/confidence.h"
#include "base/json.h"
#include "infer/text_model.h"

namespace suanli::apps {

/// A message and what it should lead to.
struct Labelled {
  std::string text, label;
};

/// A table with the columns `text` and `label`. Throws UserError.
std::vector<Labelled> read_labelled(const std::filesystem::path& file);

/// First choices of the classifier; a label that it does not have is out of scope.
std::vector<Judged> judge_intents(const infer::TextModel& classifier, const std::vector<Labelled>& messages);

struct JudgedQuestions {
  std::vector<Judged> first;  ///< the best candidate: right where its question is the label
  int64_t in_scope = 0, found_in_1 = 0, found_in_5 = 0, found_in_all = 0;  ///< of all candidates
};

/// Labels are questions of the answers (of several rows of one question any is right); another label is out of scope.
JudgedQuestions judge_questions(const Assistant& assistant, const infer::TextModel& encoder,
                                const std::vector<Labelled>& messages);

/// {"threshold", "messages", "out_of_scope", "coverage", "wrong_confident_rate", "error_of_answers", ...}
Json to_json(const Confidence& confidence);

}  // namespace suanli::apps
