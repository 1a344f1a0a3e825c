/// Lines of text from a file or standard input, plain or JSON lines, as predict, embed and tokenize read them.
#pragma once

#include <string>
#include <vector>

namespace suanli::cli {

struct TextLine {
  std::string text, text_pair;
  bool has_pair = false;
};

/// Reads windows of lines. The first line decides the form: a JSON object with a "text" or "question" field means JSON
/// lines (fields text, text_pair, or question, context in their place), anything else plain text.
class TextLines {
 public:
  /// "-" or empty: standard input. Throws UserError when the file cannot be opened.
  explicit TextLines(const std::string& file);
  TextLines(const TextLines&) = delete;
  TextLines& operator=(const TextLines&) = delete;
  ~TextLines();
  /// The next lines, at most `limit`; fewer when the writer pauses, so that a waiting reader gets its answers; empty at
  /// the end. Throws UserError for a line that is no valid JSON object (with its number) or longer than 16 MiB.
  std::vector<TextLine> next(size_t limit);

 private:
  bool read_more();  // false at the end of input
  bool take_line(std::string& line);
  bool input_waits() const;
  TextLine parse(const std::string& line);

  std::string name_;
  int file_ = 0;
  std::string buffer_;
  size_t used_ = 0;
  size_t line_number_ = 0;
  bool ended_ = false;
  bool json_ = false;
};

}  // namespace suanli::cli
