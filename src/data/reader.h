/// Examples from CSV, TSV, JSON lines, plain text and token/tag files, one at a time or all at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/byte_source.h"
#include "data/example.h"

namespace suanli {

enum class FileFormat { automatic, csv, tsv, json_lines, text, conll, libsvm };
enum class OnBadRow { error, skip };

/// What a label is: nothing, one class, several classes, a number, or one tag a word.
enum class LabelKind { none, single, multi, score, tags };

struct ReaderOptions {
  FileFormat format = FileFormat::automatic;  ///< automatic: by the file's name
  std::vector<std::string> text_columns;      ///< joined by text_column_delimiter; empty: guessed
  std::string text_column_delimiter = " ";
  std::string text_pair_column;  ///< empty: guessed beside a guessed text column
  std::string negative_column;   ///< of triplets; empty: not read
  /// Parallel text: beside plain text NAME.en the second texts stand in NAME.ja where this is "ja"; empty: none.
  std::string text_pair_extension;
  std::string label_column;               ///< empty: guessed
  std::string label_separator;            ///< multi-label in a table: splits the column, such as "|"
  std::vector<std::string> column_names;  ///< of a table without a header row
  LabelKind labels = LabelKind::none;
  bool labels_required = true;   ///< false: a file without the label column is read without labels
  bool skip_blank_lines = true;  ///< plain text alone; false keeps one example a line
  OnBadRow on_bad_row = OnBadRow::error;
  int64_t max_examples = -1;  ///< stop after so many; -1: all
};

/// A stream of examples with constant memory: at most one row is held.
///
/// Guesses, the first that is there. Text: text, sentence, sentence1, premise, question1, anchor, query, question,
/// content, review; else the only column that is not the label. Pair: the usual partner of the text column (text_pair,
/// sentence2, hypothesis, question2, positive). Label: label, labels, score, target, category, class, intent. Words:
/// tokens, words. Tags: ner_tags, tags, labels, label.
class ExampleReader {
 public:
  virtual ~ExampleReader() = default;

  /// Reads the next example; false at the end. A bad row throws UserError with file and line, or is logged, counted
  /// and passed over, as the options ask.
  bool next(Example* example);

  /// Rows passed over so far.
  int64_t skipped() const { return skipped_; }

 protected:
  explicit ExampleReader(const ReaderOptions& options) : options_(options) {}
  virtual bool read(Example* example) = 0;
  const ReaderOptions options_;

 private:
  int64_t skipped_ = 0, given_ = 0;
};

/// Opens `file` ("-": standard input). Throws UserError for a missing file, a name whose format is not known, or
/// columns that are not there (whatever on_bad_row says).
std::unique_ptr<ExampleReader> open_examples(const std::filesystem::path& file, const ReaderOptions& options);

/// The same from any source; options.format must not be automatic.
std::unique_ptr<ExampleReader> open_examples(ByteSource source, const ReaderOptions& options);

/// All examples of a file. Throws UserError also where there is none.
std::vector<Example> read_examples(const std::filesystem::path& file, const ReaderOptions& options);

/// By extension: csv; tsv, tab; json, jsonl, ndjson; txt, text, raw; conll, annotated, bio, iob, iob2, tags; libsvm,
/// svmlight.
/// Standard input is JSON lines where its first byte is '{', else plain text. Throws UserError for another name.
FileFormat guess_format(const std::filesystem::path& file);

}  // namespace suanli
