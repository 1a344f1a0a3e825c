#include "base/concat.h"
#include "base/error.h"
#include "data/readers.h"

namespace suanli {
namespace {

constexpr std::string_view kSpaces = " \t\r";

/// The first and the last column of a line; `last` is empty where there is but one.
void ends_of_line(std::string_view line, std::string_view* first, std::string_view* last) {
  const bool tabs = line.find('\t') != std::string_view::npos;
  const std::string_view separators = tabs ? "\t" : " ";
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  const size_t begin = line.find_first_of(separators);
  const size_t end = line.find_last_of(separators);
  *first = line.substr(0, begin);
  *last = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
}

class ConllReader : public ExampleReader {
 public:
  ConllReader(ByteSource source, const ReaderOptions& options) : ExampleReader(options), source_(std::move(source)) {}

 private:
  bool read(Example* example) override {
    size_t bytes = 0;
    for (;;) {
      const int64_t line = source_.line();
      try {
        if (!next_line(source_, &text_)) return !example->words.empty();
        const bool blank = text_.find_first_not_of(kSpaces) == std::string::npos;
        if (blank || text_.starts_with("-DOCSTART-")) {
          if (example->words.empty()) continue;
          return true;
        }
        bytes += text_.size();
        add_word(example, line, bytes);
      } catch (const UserError&) {
        skip_sentence();
        throw;
      }
    }
  }

  void add_word(Example* example, int64_t line, size_t bytes) {
    const std::string where = source_.place(line);
    check_text(text_, "the line", where);
    std::string_view word, tag;
    ends_of_line(text_, &word, &tag);
    const bool labelled = options_.labels != LabelKind::none;
    if (word.empty() || (tag.empty() && labelled && options_.labels_required)) {
      throw UserError(where, concat("expected a word, a tab and its tag, found \"", text_.substr(0, 60), '"'));
    }
    if (bytes > kRowLimit) throw UserError(where, "the sentence is too large; put blank lines between sentences");
    if (example->words.empty()) example->line = line;
    example->words.emplace_back(word);
    if (labelled && !tag.empty()) example->labels.emplace_back(tag);
    if (labelled && !example->labels.empty() && example->labels.size() != example->words.size()) {
      throw UserError(where, "a word without a tag in a sentence with tags");
    }
  }

  void skip_sentence() {
    while (source_.peek() >= 0) {
      try {
        if (!next_line(source_, &text_) || text_.find_first_not_of(kSpaces) == std::string::npos) return;
      } catch (const UserError&) {
        continue;  // another overlong line of the same sentence
      }
    }
  }

  ByteSource source_;
  std::string text_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_conll(ByteSource source, const ReaderOptions& options) {
  if (options.labels != LabelKind::tags && options.labels != LabelKind::none) {
    throw UserError(source.name(), "a token/tag file serves token classification alone");
  }
  return std::make_unique<ConllReader>(std::move(source), options);
}

}  // namespace suanli
