#include "data/csv.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

constexpr size_t kColumnLimit = 65536;

}  // namespace

CsvReader::CsvReader(ByteSource source, TableFormat format, std::vector<std::string> columns)
    : source_(std::move(source)), format_(format), columns_(std::move(columns)) {
  int64_t line = 1;
  if (columns_.empty() && !read_row(&columns_, &line)) {
    throw UserError(source_.place(1), "the file is empty; expected a first row of column names");
  }
  for (auto name = columns_.begin(); name != columns_.end(); ++name) {
    check_text(*name, "a column name", source_.place(line));
    if (name->empty()) throw UserError(source_.place(line), "a column without a name in the first row; name it");
    if (std::find(columns_.begin(), name, *name) != name) {
      throw UserError(source_.place(line), concat("column \"", *name, "\" appears twice in the first row; rename one"));
    }
  }
}

void CsvReader::skip_line() {
  for (int byte = source_.get(); byte >= 0 && byte != '\n'; byte = source_.get()) {
  }
}

/// Reads behind the opening quote up to and including the closing one.
void CsvReader::read_quoted(std::string* field) {
  const int64_t opened = source_.line();
  for (;;) {
    source_.take_until("\"", kFieldLimit + 1 - field->size(), field);
    if (field->size() > kFieldLimit) {
      skip_line();
      throw UserError(source_.place(opened), concat("the quote opened here holds more than ", kFieldLimit,
                                                    " bytes; a closing quote may be missing"));
    }
    if (source_.get() < 0) {
      throw UserError(source_.place(opened),
                      "the quote opened here is never closed; write \"\" for a quote in a field");
    }
    if (source_.peek() != '"') return;
    field->push_back('"');
    source_.get();
  }
}

bool CsvReader::read_row(std::vector<std::string>* fields, int64_t* line) {
  const char delimiter = format_ == TableFormat::csv ? ',' : '\t';
  const char stops[] = {delimiter, '\n', '\r', '\0'};
  while (source_.peek() == '\n' || source_.peek() == '\r') source_.get();
  if (source_.peek() < 0) return false;
  *line = source_.line();
  fields->clear();
  size_t bytes = 0;
  for (;;) {
    std::string& field = fields->emplace_back();
    const bool quoted = format_ == TableFormat::csv && source_.peek() == '"';
    if (quoted) {
      source_.get();
      read_quoted(&field);
    } else {
      source_.take_until(stops, kFieldLimit + 1, &field);
    }
    bytes += field.size();
    if (field.size() > kFieldLimit || bytes > kRowLimit || fields->size() > kColumnLimit) {
      skip_line();
      throw UserError(source_.place(*line), concat("the row is too large: at most ", kFieldLimit, " bytes a field, ",
                                                   kRowLimit, " a row, ", kColumnLimit, " columns"));
    }
    const int end = source_.get();
    if (end == delimiter) continue;
    if (end == '\r' && source_.peek() == '\n') source_.get();
    if (end == '\n' || end == '\r' || end < 0) return true;
    skip_line();
    throw UserError(source_.place(*line), concat("column ", fields->size(),
                                                 " goes on behind its closing quote; write "
                                                 "\"\" for a quote in a field"));
  }
}

bool CsvReader::next_bytes(std::vector<std::string>* fields, int64_t* line) {
  if (!read_row(fields, line)) return false;
  if (fields->size() != columns_.size()) {
    throw UserError(source_.place(*line), concat("expected ", columns_.size(), " columns, found ", fields->size(),
                                                 "; quote fields that hold the delimiter"));
  }
  return true;
}

bool CsvReader::next(std::vector<std::string>* fields, int64_t* line) {
  if (!next_bytes(fields, line)) return false;
  for (size_t i = 0; i < fields->size(); ++i) {
    check_text((*fields)[i], concat("column ", columns_[i]), source_.place(*line));
  }
  return true;
}

}  // namespace suanli
