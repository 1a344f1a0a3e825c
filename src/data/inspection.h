/// What a data file holds: rows, columns, types, missing cells, distributions, label balance, lengths, examples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/rows.h"
#include "text/tokenizer.h"

namespace suanli {

/// Called now and then with the bytes read so far.
using ReadProgress = std::function<void(int64_t bytes)>;

/// The distribution of numbers or lengths. Count, least, greatest, mean and deviation are exact; quantiles and
/// histogram come from a sample (Reservoir) where there are more than its capacity: `rank_error` is its error, 0 where
/// exact.
struct Distribution {
  int64_t count = 0;
  double min = 0, max = 0, mean = 0;
  double standard_deviation = 0;  ///< of the sample, with n - 1
  double rank_error = 0;
  std::vector<double> quantiles;  ///< at kQuantiles
  std::vector<double> histogram;  ///< shares of equal bins from min to max, which sum to 1
};
inline constexpr double kQuantiles[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

struct ColumnSummary {
  std::string name;
  /// empty; integer, number, boolean, date where all present cells are so; category: text whose values come twice on
  /// average and are at most 1024; text; mixed: numbers and others
  std::string type;
  int64_t present = 0, missing = 0;
  int64_t integers = 0, numbers = 0, booleans = 0,
          dates = 0;  ///< cells of each kind; numbers are those with a fraction
  double distinct = 0;
  bool distinct_exact = true;                             ///< false: HyperLogLog, standard error 1.6%
  std::vector<std::pair<std::string, int64_t>> frequent;  ///< the most frequent values; empty where none comes twice
  int64_t frequent_error = 0;                             ///< each count may be too low by so much
  Distribution values;                                    ///< integers and numbers, if any
  Distribution lengths;                                   ///< category, text, mixed: words or tokens a cell
};

struct Inspection {
  std::string file;
  int64_t rows = 0, bad_rows = 0;
  std::vector<std::string> bad_examples;  ///< the first messages
  std::vector<ColumnSummary> columns;
  std::string length_unit;                              ///< "words" or "tokens"
  std::string label_column;                             ///< empty: none
  std::vector<std::pair<std::string, int64_t>> labels;  ///< largest first; at most 1024, exact up to there
  std::vector<std::vector<std::string>> examples;       ///< cells of the first rows, each cut to 200 code points
};

struct InspectOptions {
  std::string label_column;              ///< empty: label, labels, target, category, class or intent, if there
  const Tokenizer* tokenizer = nullptr;  ///< lengths in its tokens, special ones among them; null: in words
  int64_t examples = 5;
  ReadProgress progress;
};

/// One pass over `reader`. Memory does not grow with the rows: for each column 512 KiB of sample for its numbers and
/// for its lengths (1024 values where there are more than 128 columns), 4 KiB and at most 1024 values. The result does
/// not depend on the number of threads. Throws UserError for a file without rows or a label column that is not there.
Inspection inspect(RowReader& reader, const InspectOptions& options);

/// All of it under the names of the structures.
Json to_json(const Inspection& inspection);

/// For a terminal, at most about 100 columns wide.
std::string to_text(const Inspection& inspection);

/// One page without scripts and without any other file; follows the reader's choice of light or dark.
std::string to_html(const Inspection& inspection);

}  // namespace suanli
