#include "data/rows.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "data/csv.h"
#include "data/libsvm.h"
#include "data/repair.h"

namespace suanli {
namespace {

class TableRows : public RowReader {
 public:
  TableRows(ByteSource source, const RowOptions& options)
      : RowReader(options),
        rows_(std::move(source), options.format == FileFormat::csv ? TableFormat::csv : TableFormat::tsv,
              options.column_names) {
    columns_ = rows_.columns();
  }

  const ByteSource& source() const override { return rows_.source(); }

 private:
  bool read(Row* row) override {
    return options_.check_encoding ? rows_.next(&row->cells, &row->line) : rows_.next_bytes(&row->cells, &row->line);
  }

  CsvReader rows_;
};

class JsonRows : public RowReader {
 public:
  JsonRows(ByteSource source, const RowOptions& options) : RowReader(options), source_(std::move(source)) {
    try {
      have_first_ = read_object(&first_);
    } catch (const UserError& error) {
      if (options.on_bad_row == OnBadRow::error) throw;
      first_.error = error.what();
      have_first_ = true;
    }
  }

  const ByteSource& source() const override { return source_; }

 private:
  bool read(Row* row) override {
    if (have_first_) {
      have_first_ = false;
      const int64_t number = row->number;
      *row = std::move(first_);
      row->number = number;
      return true;
    }
    return read_object(row);
  }

  bool read_object(Row* row) {
    do {
      row->line = source_.line();
      if (!next_line(source_, &row->written)) return false;
    } while (row->written.find_first_not_of(" \t\r") == std::string::npos);
    row->cells.clear();
    if (!options_.check_encoding && find_invalid_utf8(row->written) != std::string_view::npos) {
      row->written = from_windows_1252(row->written);
      row->decoded = true;
    }
    const std::string where = source_.place(row->line);
    const Json object = parse_json(row->written, where);
    if (!object.is_object()) {
      throw UserError(where, concat("expected one JSON object a line, found ", object.type_name()));
    }
    row->cells.resize(columns_.size());
    for (const auto& entry : object.items()) {
      const size_t column = index_of(entry.key(), row);
      row->cells[column] = json_cell(entry.value());
      if (options_.check_encoding) check_text(row->cells[column], concat("column ", entry.key()), where);
    }
    return true;
  }

  size_t index_of(const std::string& key, Row* row) {
    const auto at = std::find(columns_.begin(), columns_.end(), key);
    if (at != columns_.end()) return static_cast<size_t>(at - columns_.begin());
    if (columns_.size() == kKeyLimit) {
      throw UserError(source_.place(row->line), concat("more than ", kKeyLimit, " different keys in the file"));
    }
    columns_.push_back(key);
    row->cells.emplace_back();
    return columns_.size() - 1;
  }

  static constexpr size_t kKeyLimit = 4096;
  ByteSource source_;
  Row first_;
  bool have_first_ = false;
};

class TextRows : public RowReader {
 public:
  TextRows(ByteSource source, const RowOptions& options) : RowReader(options), source_(std::move(source)) {
    columns_ = {"text"};
  }

  const ByteSource& source() const override { return source_; }

 private:
  bool read(Row* row) override {
    row->cells.resize(1);
    do {
      row->line = source_.line();
      if (!next_line(source_, &row->cells[0])) return false;
    } while (row->cells[0].find_first_not_of(" \t\r\f\v") == std::string::npos);
    if (options_.check_encoding) check_text(row->cells[0], "the line", source_.place(row->line));
    return true;
  }

  ByteSource source_;
};

}  // namespace

void Row::set(size_t column, std::string value) {
  if (cells[column] == value) return;
  cells[column] = std::move(value);
  if (std::find(changed.begin(), changed.end(), column) == changed.end()) changed.push_back(column);
}

bool RowReader::next(Row* row) {
  row->error.clear();
  row->changed.clear();
  row->decoded = false;
  row->number = ++rows_;
  try {
    return read(row);
  } catch (const UserError& error) {
    if (options_.on_bad_row == OnBadRow::error) throw;
    row->error = error.what();
    return true;
  }
}

bool RowReader::next_rows(size_t limit, std::vector<Row>* rows) {
  rows->resize(limit);
  size_t count = 0;
  while (count < limit && next(&(*rows)[count])) ++count;
  rows->resize(count);
  return count > 0;
}

size_t RowReader::column(const std::string& name) const {
  const auto at = std::find(columns_.begin(), columns_.end(), name);
  if (at != columns_.end()) return static_cast<size_t>(at - columns_.begin());
  std::string list;
  for (const std::string& column : columns_) {
    list += concat(list.empty() ? "" : ", ", column);
    if (list.size() > 300) {
      list += ", ...";
      break;
    }
  }
  throw UserError(source().name(),
                  concat("no column \"", name, "\"; the columns are ", list, did_you_mean(name, columns_)));
}

std::unique_ptr<RowReader> open_rows(ByteSource source, const RowOptions& options) {
  if (source.peek() < 0) throw UserError(source.name(), "the file is empty; expected rows of data");
  switch (options.format) {
    case FileFormat::csv:
    case FileFormat::tsv:
      return std::make_unique<TableRows>(std::move(source), options);
    case FileFormat::json_lines:
      return std::make_unique<JsonRows>(std::move(source), options);
    case FileFormat::text:
      return std::make_unique<TextRows>(std::move(source), options);
    case FileFormat::libsvm:
      return open_libsvm(std::move(source), options);
    case FileFormat::conll:
    case FileFormat::automatic:
      break;
  }
  throw UserError(source.name(),
                  "expected CSV, TSV, JSON lines, libsvm or text; token/tag files are read by train alone");
}

std::unique_ptr<RowReader> open_rows(const std::filesystem::path& file, const RowOptions& options) {
  ByteSource source(file);
  RowOptions chosen = options;
  if (chosen.format == FileFormat::automatic) {
    chosen.format = file != "-" ? guess_format(file) : source.peek() == '{' ? FileFormat::json_lines : FileFormat::text;
  }
  if (chosen.format == FileFormat::libsvm) {
    if (file == "-")
      throw UserError("libsvm", "the columns are found by a first pass; give a file, not standard input");
    chosen.features = std::max(chosen.features, libsvm_features(ByteSource(file)));
  }
  return open_rows(std::move(source), chosen);
}

std::string json_cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return value.dump();
}

}  // namespace suanli
