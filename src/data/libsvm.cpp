#include "data/libsvm.h"

#include <algorithm>
#include <charconv>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

struct Pair {
  int64_t index = 0;
  std::string_view value;
};

/// Takes the next word off the front of `line`; empty at the end or before a comment.
std::string_view take_word(std::string_view* line) {
  const size_t begin = std::min(line->find_first_not_of(" \t\r"), line->size());
  const size_t end = std::min(line->find_first_of(" \t\r", begin), line->size());
  const std::string_view word = line->substr(begin, end - begin);
  line->remove_prefix(end);
  return word.starts_with('#') ? std::string_view() : word;
}

Pair pair_of(std::string_view word, const std::string& where) {
  Pair pair;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pair.index);
  const auto digits = static_cast<size_t>(end - word.data());
  if (error != std::errc() || digits + 1 >= word.size() || word[digits] != ':' || pair.index < 1) {
    throw UserError(where, concat("expected index:value with an index from 1, found \"", word.substr(0, 60), '"'));
  }
  if (pair.index > kLibsvmFeatureLimit) {
    throw UserError(where, concat("index ", pair.index, " is above ", kLibsvmFeatureLimit,
                                  ", the most columns of a libsvm file that are read"));
  }
  pair.value = word.substr(digits + 1);
  return pair;
}

/// Takes the next line that is more than a comment; false at the end.
bool next_row(ByteSource& source, std::string* line, int64_t* number, std::string_view* label, std::string_view* rest) {
  do {
    *number = source.line();
    if (!next_line(source, line)) return false;
    *rest = *line;
    *label = take_word(rest);
  } while (label->empty());
  return true;
}

class LibsvmRows : public RowReader {
 public:
  LibsvmRows(ByteSource source, const RowOptions& options) : RowReader(options), source_(std::move(source)) {
    columns_ = {"label"};
    for (int64_t index = 1; index <= options.features; ++index) columns_.push_back(concat(index));
  }

  const ByteSource& source() const override { return source_; }

 private:
  bool read(Row* row) override {
    std::string_view label, rest;
    if (!next_row(source_, &text_, &row->line, &label, &rest)) return false;
    const std::string where = source_.place(row->line);
    check_text(text_, "the line", where);
    row->cells.assign(columns_.size(), "0");
    row->cells[0] = label.substr(label.starts_with('+') ? 1 : 0);
    int64_t last = 0;
    for (std::string_view word = take_word(&rest); !word.empty(); word = take_word(&rest)) {
      const Pair pair = pair_of(word, where);
      if (pair.index <= last)
        throw UserError(where, concat("index ", pair.index, " comes after ", last, "; sort them"));
      if (pair.index >= static_cast<int64_t>(columns_.size())) {
        throw UserError(where,
                        concat("index ", pair.index, " is above the ", columns_.size() - 1, " columns expected"));
      }
      last = pair.index;
      row->cells[static_cast<size_t>(pair.index)] = pair.value;
    }
    return true;
  }

  ByteSource source_;
  std::string text_;
};

}  // namespace

int64_t libsvm_features(ByteSource source) {
  std::string line;
  std::string_view label, rest;
  int64_t largest = 0, number = 0;
  while (next_row(source, &line, &number, &label, &rest)) {
    for (std::string_view word = take_word(&rest); !word.empty(); word = take_word(&rest)) {
      largest = std::max(largest, pair_of(word, source.place(number)).index);
    }
  }
  return largest;
}

int64_t libsvm_features(std::span<const std::string> columns) {
  int64_t largest = 0;
  for (const std::string& name : columns) {
    int64_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error == std::errc() && end == name.data() + name.size()) largest = std::max(largest, index);
  }
  return largest;
}

std::unique_ptr<RowReader> open_libsvm(ByteSource source, const RowOptions& options) {
  return std::make_unique<LibsvmRows>(std::move(source), options);
}

std::string libsvm_line(const std::vector<std::string>& cells) {
  std::string line = cells[0];
  for (size_t index = 1; index < cells.size(); ++index) {
    if (cells[index] != "0") line += concat(' ', index, ':', cells[index]);
  }
  return line;
}

}  // namespace suanli
