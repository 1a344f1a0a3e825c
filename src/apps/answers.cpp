#include "apps/answers.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "data/rows.h"

namespace suanli::apps {

namespace {

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

}  // namespace

std::vector<Answer> read_answers(const std::filesystem::path& file) {
  const auto reader = open_rows(file, {});
  const size_t question = reader->column("question"), answer = reader->column("answer");
  const auto optional = [&](const char* name) {
    const auto found = std::ranges::find(reader->columns(), name);
    return static_cast<size_t>(found - reader->columns().begin());
  };
  size_t source = optional("url");
  if (source == reader->columns().size()) source = optional("source");
  const size_t intent = optional("intent");
  std::vector<Answer> out;
  Row row;
  while (reader->next(&row)) {
    const auto cell = [&row](size_t column) { return column < row.cells.size() ? row.cells[column] : std::string(); };
    Answer one{.question = cell(question), .text = cell(answer), .source = cell(source), .intent = cell(intent)};
    for (const auto& [name, text] : {std::pair{"question", &one.question}, {"answer", &one.text}}) {
      if (!is_blank(*text)) continue;
      throw UserError(concat(file, ":", row.line), concat("expected a text in column ", name, ", got an empty cell"));
    }
    out.push_back(std::move(one));
  }
  if (out.empty()) throw UserError(file.string(), "expected rows with a question and an answer, got none");
  return out;
}

}  // namespace suanli::apps
