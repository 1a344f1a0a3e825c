/// Rows of CSV, TSV, JSON lines and plain text as one kind of table: named columns of cells of text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/reader.h"

namespace suanli {

struct Row {
  std::vector<std::string> cells;  ///< one a column; "" where a JSON object has null or no such key
  int64_t number = 0;              ///< of the row in its file, from one, without the header
  int64_t line = 0;                ///< where it begins, from one
  std::string error;               ///< not empty: the row is bad, and this is why; its cells may be incomplete
  std::string written;             ///< JSON lines: the line itself
  std::vector<size_t> changed;     ///< columns that set() gave another content
  bool decoded = false;            ///< JSON lines: the line was not UTF-8 and has been read as Windows-1252

  /// Puts `value` in a cell.
  void set(size_t column, std::string value);
};

struct RowOptions {
  FileFormat format = FileFormat::automatic;  ///< csv, tsv, json_lines, libsvm or text
  std::vector<std::string> column_names;      ///< of a table without a header row
  /// false: cells are bytes that the caller repairs; a JSON line that is not UTF-8 is read as Windows-1252.
  bool check_encoding = true;
  OnBadRow on_bad_row = OnBadRow::error;  ///< skip: a bad row is given with `error` set
  int64_t features = 0;  ///< libsvm: at least so many columns; a first pass over a file finds the largest index
};

/// A stream of rows with constant memory: at most one row is held.
///
/// Columns of JSON lines are the keys of the first object in the order of their names; a key that comes up later is
/// appended, so that rows before it have fewer cells. Lists and objects are cells of JSON. A line of plain text is the
/// only cell, "text", of its row; for libsvm see libsvm.h; blank lines are passed over in every format but tables with
/// a quoted empty cell.
class RowReader {
 public:
  virtual ~RowReader() = default;

  /// Reads the next row; false at the end. A bad row throws UserError with file and line, or is given, as on_bad_row
  /// asks.
  bool next(Row* row);

  /// At most `limit` rows into `rows`, whose memory is used again; false where none is left.
  bool next_rows(size_t limit, std::vector<Row>* rows);

  const std::vector<std::string>& columns() const { return columns_; }
  virtual const ByteSource& source() const = 0;
  const RowOptions& options() const { return options_; }

  /// The index of a column. Throws UserError that names what is there.
  size_t column(const std::string& name) const;

 protected:
  explicit RowReader(const RowOptions& options) : options_(options) {}
  virtual bool read(Row* row) = 0;
  const RowOptions options_;
  std::vector<std::string> columns_;

 private:
  int64_t rows_ = 0;
};

/// Opens `file` ("-": standard input). Throws UserError for a missing or empty file, or a name whose format is not
/// known or is that of token/tag files.
std::unique_ptr<RowReader> open_rows(const std::filesystem::path& file, const RowOptions& options);

/// The same from any source; options.format must be one of csv, tsv, json_lines, text, libsvm.
std::unique_ptr<RowReader> open_rows(ByteSource source, const RowOptions& options);

/// The text of a JSON value as a cell: strings as they are, null as "", all else as JSON writes it.
std::string json_cell(const Json& value);

}  // namespace suanli
