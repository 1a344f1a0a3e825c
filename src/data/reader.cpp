#include "data/reader.h"

#include <algorithm>
#include <cctype>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "data/columns.h"
#include "data/csv.h"
#include "data/readers.h"

namespace suanli {
namespace {

constexpr int64_t kLoggedRows = 10;  // bad rows shown one by one

/// One example a row of a table.
class TableReader : public ExampleReader {
 public:
  TableReader(ByteSource source, TableFormat format, const ReaderOptions& options)
      : ExampleReader(options), rows_(std::move(source), format, options.column_names) {
    const std::vector<std::string>& columns = rows_.columns();
    const ColumnChoice choice = choose_columns(columns, options, rows_.source().place(1));
    const auto index = [&](const std::string& name) {
      return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
    };
    for (const std::string& name : choice.text) text_.push_back(index(name));
    pair_ = choice.pair.empty() ? kNone : index(choice.pair);
    negative_ = choice.negative.empty() ? kNone : index(choice.negative);
    label_ = choice.label.empty() ? kNone : index(choice.label);
  }

 private:
  bool read(Example* example) override {
    if (!rows_.next(&fields_, &example->line)) return false;
    for (const size_t column : text_) {
      if (column != text_.front()) example->text += options_.text_column_delimiter;
      example->text += fields_[column];
    }
    example->has_pair = pair_ != kNone;
    if (example->has_pair) example->text_pair = fields_[pair_];
    if (negative_ != kNone) example->negative = fields_[negative_];
    if (label_ != kNone) set_label(example, fields_[label_], options_, rows_.source().place(example->line));
    return true;
  }

  static constexpr size_t kNone = static_cast<size_t>(-1);
  CsvReader rows_;
  std::vector<size_t> text_;
  size_t pair_ = kNone, negative_ = kNone, label_ = kNone;
  std::vector<std::string> fields_;
};

/// One example a line.
class TextReader : public ExampleReader {
 public:
  TextReader(ByteSource source, const ReaderOptions& options) : ExampleReader(options), source_(std::move(source)) {}

 private:
  bool read(Example* example) override {
    for (;;) {
      example->line = source_.line();
      if (!next_line(source_, &example->text)) return false;
      const bool blank = example->text.find_first_not_of(" \t\r\f\v") == std::string::npos;
      if (blank && options_.skip_blank_lines) continue;
      check_text(example->text, "the line", source_.place(example->line));
      return true;
    }
  }

  ByteSource source_;
};

}  // namespace

bool ExampleReader::next(Example* example) {
  while (options_.max_examples < 0 || given_ < options_.max_examples) {
    *example = Example();
    try {
      if (!read(example)) {
        if (skipped_ > kLoggedRows) log_warning(concat(skipped_, " bad rows were skipped in all"));
        return false;
      }
      ++given_;
      return true;
    } catch (const UserError& error) {
      if (options_.on_bad_row == OnBadRow::error) throw;
      if (++skipped_ <= kLoggedRows) log_warning(concat("skipped a bad row: ", error.what()));
    }
  }
  return false;
}

std::unique_ptr<ExampleReader> open_examples(ByteSource source, const ReaderOptions& options) {
  const bool tags = options.labels == LabelKind::tags;
  switch (options.format) {
    case FileFormat::csv:
    case FileFormat::tsv: {
      if (tags) {
        throw UserError(source.name(), "token classification reads token/tag files or JSON lines with tokens and tags");
      }
      const TableFormat table = options.format == FileFormat::csv ? TableFormat::csv : TableFormat::tsv;
      return std::make_unique<TableReader>(std::move(source), table, options);
    }
    case FileFormat::json_lines:
      return open_json_lines(std::move(source), options);
    case FileFormat::conll:
      return open_conll(std::move(source), options);
    case FileFormat::libsvm:
      throw UserError(source.name(), "libsvm files hold numbers, no text; expected CSV, TSV, JSON lines or text");
    case FileFormat::text:
    case FileFormat::automatic:
      break;
  }
  SUANLI_ASSERT(options.format == FileFormat::text);
  if (options.labels != LabelKind::none && options.labels_required) {
    throw UserError(source.name(), "plain text holds no labels; use CSV, TSV or JSON lines");
  }
  return std::make_unique<TextReader>(std::move(source), options);
}

FileFormat guess_format(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto among = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), extension) != names.end();
  };
  if (among({".csv"})) return FileFormat::csv;
  if (among({".tsv", ".tab"})) return FileFormat::tsv;
  if (among({".json", ".jsonl", ".ndjson"})) return FileFormat::json_lines;
  if (among({".txt", ".text", ".raw"})) return FileFormat::text;
  if (among({".conll", ".annotated", ".bio", ".iob", ".iob2", ".tags"})) return FileFormat::conll;
  if (among({".libsvm", ".svmlight"})) return FileFormat::libsvm;
  throw UserError(file.string(),
                  "the format is not known by this name; expected .csv, .tsv, .jsonl, .json, .txt, .conll or "
                  ".libsvm, or say it with data_format");
}

std::unique_ptr<ExampleReader> open_examples(const std::filesystem::path& file, const ReaderOptions& options) {
  ByteSource source(file);
  if (!options.text_pair_extension.empty()) {
    std::filesystem::path pair = file;
    pair.replace_extension(options.text_pair_extension);
    if (pair == file)
      throw UserError(file.string(), "text_pair_extension names the file itself, not that of the pairs");
    return open_parallel_text(std::move(source), ByteSource(pair), options);
  }
  ReaderOptions chosen = options;
  if (chosen.format == FileFormat::automatic) {
    const bool standard_input = file == "-";
    chosen.format = !standard_input        ? guess_format(file)
                    : source.peek() == '{' ? FileFormat::json_lines
                                           : FileFormat::text;
  }
  return open_examples(std::move(source), chosen);
}

std::vector<Example> read_examples(const std::filesystem::path& file, const ReaderOptions& options) {
  const std::unique_ptr<ExampleReader> reader = open_examples(file, options);
  std::vector<Example> examples;
  Example example;
  while (reader->next(&example)) examples.push_back(std::move(example));
  if (examples.empty() && options.max_examples != 0) {
    throw UserError(file.string(), concat("no example in the file (", reader->skipped(), " bad rows skipped)"));
  }
  return examples;
}

}  // namespace suanli
