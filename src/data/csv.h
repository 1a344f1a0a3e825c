/// Comma- and tab-separated tables, row by row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/byte_source.h"

namespace suanli {

enum class TableFormat {
  csv,  ///< RFC 4180: fields between double quotes may hold commas, line ends and "" for a quote
  tsv,  ///< text/tab-separated-values (IANA): no quoting, a quote is a character like any other
};

/// Streams the rows of a table; rows end with LF, CR LF or CR; empty lines are passed over. Beyond the RFC, and as
/// pandas reads it, a quote inside an unquoted field stands for itself.
class CsvReader {
 public:
  /// Takes the names from the first row, or `columns` where that is not empty and the file has no header.
  /// Throws UserError: no header, an empty or repeated name.
  CsvReader(ByteSource source, TableFormat format, std::vector<std::string> columns = {});

  const std::vector<std::string>& columns() const { return columns_; }

  /// Reads one row into `fields` (as many as columns) and the line it begins on; false at the end. Throws UserError
  /// with file and line for a wrong number of fields, an open quote, text behind a closing quote, invalid UTF-8, NUL,
  /// or a field of more than 16 MiB; the next call then goes on with the row behind it.
  bool next(std::vector<std::string>* fields, int64_t* line);

  /// The same without the check of the encoding: fields are bytes, for those who repair them.
  bool next_bytes(std::vector<std::string>* fields, int64_t* line);

  const ByteSource& source() const { return source_; }

 private:
  bool read_row(std::vector<std::string>* fields, int64_t* line);
  void read_quoted(std::string* field);
  void skip_line();

  ByteSource source_;
  TableFormat format_;
  std::vector<std::string> columns_;
};

}  // namespace suanli
