/// What customer service can say: questions with their answers, read from a table.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace suanli::apps {

struct Answer {
  std::string question, text;
  std::string source;  ///< where the answer comes from, such as a URL; may be empty
  std::string intent;  ///< given to messages of this intent alone; empty: to any
};

/// CSV, TSV or JSON lines with the columns `question` and `answer`, and where there are such `url` (or `source`) and
/// `intent`. Throws UserError with file and line: a missing column, a bad row, an empty question or answer, no rows.
std::vector<Answer> read_answers(const std::filesystem::path& file);

}  // namespace suanli::apps
