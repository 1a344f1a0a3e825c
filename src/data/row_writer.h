/// Rows to files, in the format they were read in; a file is whole or absent.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace suanli {

/// Writes beside `file`, under a name of its own, and moves it there at the end: `file` is never half written.
class WholeFile {
 public:
  /// Throws EnvironmentError where it cannot be made.
  explicit WholeFile(const std::filesystem::path& file);
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  /// Throws EnvironmentError (disk full).
  void write(std::string_view text);

  /// Syncs and moves. Throws EnvironmentError.
  void finish();

 private:
  [[noreturn]] void fail(std::string_view what) const;
  std::filesystem::path file_, partial_;
  std::FILE* out_ = nullptr;
};

/// Appends a cell of CSV, between quotes where it needs them; `alone`: the only one of its row, where "" stands for an
/// empty one.
void append_csv(std::string* out, std::string_view cell, bool alone);

/// Tables get their header back where they had one; JSON lines that nobody changed are written byte for byte.
class RowWriter {
 public:
  RowWriter(const std::filesystem::path& file, const RowReader& reader);

  /// Throws UserError for a cell that TSV cannot hold (tab, line end), EnvironmentError as WholeFile.
  void write(const Row& row);
  void finish() { file_.finish(); }

 private:
  void append_cells(const std::vector<std::string>& cells);

  const RowReader& reader_;
  WholeFile file_;
  std::string line_;
};

/// The row of `reader` as a JSON object: what clean writes of a rejected row.
Json row_json(const Row& row, const RowReader& reader);

}  // namespace suanli
