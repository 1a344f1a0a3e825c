/// Questions about a text that holds the answer, as SQuAD has them (Rajpurkar et al. 2016, 2018).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/reader.h"

namespace suanli {

struct QuestionExample {
  struct Answer {
    std::string text;
    uint32_t start = 0, end = 0;  ///< code points of the context
  };
  std::string id, question, context;
  std::vector<Answer> answers;  ///< empty: the context does not answer it
  std::string place;            ///< file and line, or file and id, for messages
};

/// A file of SQuAD, version 1.1 or 2.0: {"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers":
/// [{"text", "answer_start"}], "is_impossible"}]}]}]}. Else JSON lines of {"question", "context", "answers"}, the
/// answers as there or as Hugging Face's {"text": [...], "answer_start": [...]}; without answers there is none. Throws
/// UserError for another form, and for an answer that does not stand at its place, unless `on_bad_row` is skip (with a
/// warning).
std::vector<QuestionExample> read_questions(const std::filesystem::path& file, OnBadRow on_bad_row);

}  // namespace suanli
