#include "data/inspection.h"

#include <algorithm>
#include <deque>

#include "base/concat.h"
#include "base/error.h"
#include "base/parallel.h"
#include "data/cell.h"
#include "data/column_statistics.h"
#include "data/content.h"

namespace suanli {
namespace {

constexpr size_t kBatchRows = 4096;
constexpr size_t kBadExamples = 5;
constexpr size_t kExampleLength = 200;
constexpr size_t kLabelLimit = 1024;

std::string label_among(const std::vector<std::string>& columns) {
  for (const char* name : {"label", "labels", "target", "category", "class", "intent"}) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) return name;
  }
  return "";
}

/// The length of a cell of text, or -1 for one that is missing or a number.
int64_t length_of(const std::string& cell, const Tokenizer* tokenizer) {
  if (is_missing(cell) || parse_number(cell)) return -1;
  return tokenizer != nullptr ? static_cast<int64_t>(tokenizer->encode(cell).ids.size())
                              : static_cast<int64_t>(words_of(cell).size());
}

class Inspector {
 public:
  Inspector(RowReader& reader, const InspectOptions& options) : reader_(reader), options_(options) {}

  Inspection run() {
    result_.file = reader_.source().name();
    result_.length_unit = options_.tokenizer != nullptr ? "tokens" : "words";
    while (reader_.next_rows(kBatchRows, &rows_)) {
      take_examples();
      add_columns();
      measure_lengths();
      parallel_tasks(static_cast<int64_t>(columns_.size()), rows_.size() < 64,
                     [&](int64_t column) { add_cells(static_cast<size_t>(column)); });
      if (options_.progress) options_.progress(reader_.source().position());
    }
    if (result_.rows == 0) {
      throw UserError(result_.file, concat("no row of data in the file (", result_.bad_rows, " bad rows)"));
    }
    for (const ColumnStatistics& column : columns_) result_.columns.push_back(column.finish(result_.rows));
    find_labels();
    return std::move(result_);
  }

 private:
  void take_examples() {
    for (const Row& row : rows_) {
      if (!row.error.empty()) {
        ++result_.bad_rows;
        if (result_.bad_examples.size() < kBadExamples) result_.bad_examples.push_back(row.error);
        continue;
      }
      ++result_.rows;
      if (static_cast<int64_t>(result_.examples.size()) >= options_.examples) continue;
      std::vector<std::string>& cells = result_.examples.emplace_back();
      for (const std::string& cell : row.cells) cells.push_back(shortened(cell, kExampleLength));
    }
  }

  void add_columns() {
    const size_t capacity = reader_.columns().size() <= 128 ? size_t{1} << 16 : 1024;
    while (columns_.size() < reader_.columns().size()) {
      const size_t next = columns_.size();
      columns_.emplace_back(reader_.columns()[next], capacity, static_cast<uint32_t>(next));
    }
  }

  void measure_lengths() {
    lengths_.assign(rows_.size() * columns_.size(), -1);
    parallel_for(static_cast<int64_t>(rows_.size()), 16, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        if (!rows_[i].error.empty()) continue;
        for (size_t column = 0; column < rows_[i].cells.size(); ++column) {
          lengths_[i * columns_.size() + column] = length_of(rows_[i].cells[column], options_.tokenizer);
        }
      }
    });
  }

  void add_cells(size_t column) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].error.empty() || column >= rows_[i].cells.size()) continue;
      columns_[column].add(rows_[i].cells[column]);
      const int64_t length = lengths_[i * columns_.size() + column];
      if (length >= 0) columns_[column].add_length(length);
    }
  }

  void find_labels() {
    result_.label_column = options_.label_column.empty() ? label_among(reader_.columns()) : options_.label_column;
    if (result_.label_column.empty()) return;
    const ColumnStatistics& column = columns_[reader_.column(result_.label_column)];
    result_.labels = column.values(kLabelLimit);
  }

  RowReader& reader_;
  const InspectOptions& options_;
  Inspection result_;
  std::vector<Row> rows_;
  std::vector<int64_t> lengths_;  ///< [row, column] of the batch
  std::deque<ColumnStatistics> columns_;
};

Json counts_json(const std::vector<std::pair<std::string, int64_t>>& counts) {
  Json list = Json::array();
  for (const auto& [value, count] : counts) list.push_back({{"value", value}, {"count", count}});
  return list;
}

Json distribution_json(const Distribution& d) {
  if (d.count == 0) return nullptr;
  Json quantiles = Json::object();
  for (size_t i = 0; i < d.quantiles.size(); ++i) quantiles[concat(kQuantiles[i])] = d.quantiles[i];
  return {{"count", d.count},
          {"min", d.min},
          {"max", d.max},
          {"mean", d.mean},
          {"standard_deviation", d.standard_deviation},
          {"rank_error", d.rank_error},
          {"quantiles", quantiles},
          {"histogram", d.histogram}};
}

}  // namespace

Inspection inspect(RowReader& reader, const InspectOptions& options) {
  if (!options.label_column.empty()) reader.column(options.label_column);
  return Inspector(reader, options).run();
}

Json to_json(const Inspection& inspection) {
  Json columns = Json::array();
  for (const ColumnSummary& c : inspection.columns) {
    columns.push_back({{"name", c.name},
                       {"type", c.type},
                       {"present", c.present},
                       {"missing", c.missing},
                       {"integers", c.integers},
                       {"numbers", c.numbers},
                       {"booleans", c.booleans},
                       {"dates", c.dates},
                       {"distinct", c.distinct},
                       {"distinct_exact", c.distinct_exact},
                       {"frequent", counts_json(c.frequent)},
                       {"frequent_error", c.frequent_error},
                       {"values", distribution_json(c.values)},
                       {"lengths", distribution_json(c.lengths)}});
  }
  return {{"file", inspection.file},
          {"rows", inspection.rows},
          {"bad_rows", inspection.bad_rows},
          {"bad_examples", inspection.bad_examples},
          {"columns", columns},
          {"length_unit", inspection.length_unit},
          {"label_column", inspection.label_column},
          {"labels", counts_json(inspection.labels)},
          {"examples", inspection.examples}};
}

}  // namespace suanli
