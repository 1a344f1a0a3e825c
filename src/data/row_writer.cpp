#include "data/row_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/cell.h"
#include "data/libsvm.h"
#include "data/repair.h"

namespace suanli {
namespace {

/// The text of a cell as a value of the kind that stood in its place.
Json value_like(const Json& old, const std::string& cell) {
  if (old.is_string()) return cell;
  if (old.is_structured()) return parse_json(cell, "a repaired cell");
  const auto number = parse_number(cell);
  if (!number) return cell;
  return Json::accept(cell) ? Json::parse(cell)
                            : Json(*number);  // "+5" and ".5" are numbers that JSON spells otherwise
}

}  // namespace

void append_csv(std::string* out, std::string_view cell, bool alone) {
  const bool plain = cell.find_first_of(",\"\r\n") == std::string_view::npos && !(alone && cell.empty());
  if (plain) {
    out->append(cell);
    return;
  }
  out->push_back('"');
  for (const char c : cell) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

WholeFile::WholeFile(const std::filesystem::path& file) : file_(file), partial_(concat(file, ".partial-", getpid())) {
  out_ = std::fopen(partial_.c_str(), "wbe");
  if (out_ == nullptr) fail("cannot be made");
}

WholeFile::~WholeFile() {
  if (out_ == nullptr) return;
  std::fclose(out_);
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void WholeFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size()) fail("cannot be written");
}

void WholeFile::finish() {
  if (std::fflush(out_) != 0 || fsync(fileno(out_)) != 0) fail("cannot be written");
  if (std::rename(partial_.c_str(), file_.c_str()) != 0) fail("cannot be put in its place");
  std::fclose(out_);
  out_ = nullptr;
  sync_path(file_.parent_path().empty() ? "." : file_.parent_path());
}

void WholeFile::fail(std::string_view what) const {
  throw EnvironmentError(file_.string(), concat(what, ": ", std::strerror(errno)));
}

RowWriter::RowWriter(const std::filesystem::path& file, const RowReader& reader) : reader_(reader), file_(file) {
  const FileFormat format = reader.options().format;
  const bool table = format == FileFormat::csv || format == FileFormat::tsv;
  if (table && reader.options().column_names.empty()) append_cells(reader.columns());
}

void RowWriter::append_cells(const std::vector<std::string>& cells) {
  const bool csv = reader_.options().format == FileFormat::csv;
  line_.clear();
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_.push_back(csv ? ',' : '\t');
    if (csv) {
      append_csv(&line_, cells[i], cells.size() == 1);
    } else {
      if (cells[i].find_first_of("\t\r\n") != std::string::npos) {
        throw UserError("tsv", concat("a cell of column ", reader_.columns()[i],
                                      " holds a tab or a line end, which TSV cannot; use CSV"));
      }
      line_ += cells[i];
    }
  }
  line_.push_back('\n');
  file_.write(line_);
}

void RowWriter::write(const Row& row) {
  switch (reader_.options().format) {
    case FileFormat::json_lines: {
      if (row.changed.empty()) {
        file_.write(row.written);
      } else {
        Json object = parse_json(row.written, "a row");
        for (const size_t column : row.changed) {
          Json& value = object[reader_.columns()[column]];
          value = value_like(value, row.cells[column]);
        }
        file_.write(object.dump());
      }
      file_.write("\n");
      return;
    }
    case FileFormat::libsvm:
      file_.write(libsvm_line(row.cells));
      file_.write("\n");
      return;
    case FileFormat::text:
      file_.write(row.cells[0]);
      file_.write("\n");
      return;
    default:
      append_cells(row.cells);
  }
}

Json row_json(const Row& row, const RowReader& reader) {
  const auto readable = [](const std::string& text) {
    return find_invalid_utf8(text) == std::string_view::npos ? text : from_windows_1252(text);
  };
  Json cells = Json::object();
  for (size_t i = 0; i < row.cells.size(); ++i) {
    cells[i < reader.columns().size() ? reader.columns()[i] : concat("column ", i + 1)] = readable(row.cells[i]);
  }
  if (row.cells.empty() && !row.written.empty()) cells["line"] = readable(row.written);
  return cells;
}

}  // namespace suanli
