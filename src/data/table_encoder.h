/// Columns of a table as numbers and indices for a network: fitted on the training part alone, saved beside the model,
/// applied alike in training, evaluation and prediction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/inspection.h"
#include "data/rows.h"

namespace suanli {

/// With the statistics of the training part; a scale of 0 counts as 1:
///   standardize  (x - mean) / deviation, the deviation with n (scikit-learn's StandardScaler)
///   min_max      (x - min) / (max - min), beyond [0, 1] for values beyond those seen
///   robust       (x - median) / interquartile range (RobustScaler)
///   log          standardize of sign(x) log(1 + |x|)
///   one_hot      a number for each category in the order of their bytes; all 0 for an unknown or missing one
///   ordinal      an index: 0 for an unknown or missing category, else 1 + its place in that order; for an embedding
///   hashed       an index: the hash of the cell (hash.h) modulo `buckets`; needs no fit, different cells may collide
///   date         (seconds - mean) / deviation, then sine and cosine of the time of the year, the week and the day
///   (UTC)
/// A missing number or date is the median of the training part (of the logarithms for log).
enum class ColumnEncoding { standardize, min_max, robust, log, one_hot, ordinal, hashed, date };

/// True for the four that take a cell for a number; the others take it for a category or a date.
bool is_number(ColumnEncoding encoding);

/// The encoding of this name, as above.
std::optional<ColumnEncoding> encoding_named(std::string_view name);

struct ColumnPlan {
  std::string name;
  ColumnEncoding encoding = ColumnEncoding::standardize;
  int64_t buckets = 0;  ///< of hashed, at least 1
};

/// Numbers standardised, dates as dates, booleans and categories one-hot up to 16 values, else ordinal; texts, mixed
/// and empty columns and `label_column` are left out.
std::vector<ColumnPlan> suggested_plan(const Inspection& inspection, const std::string& label_column);

class TableEncoder {
 public:
  /// Learns what `plan` needs in one pass over the training part. Means, deviations, extremes and categories are exact;
  /// medians and quartiles come from a Reservoir (sketch.h), exact up to 65,536 rows. Throws UserError with file and
  /// line for a cell that is no number or date, and for a column that is not there, that the plan names twice, without
  /// any value, or of more than 65,536 categories.
  static TableEncoder fit(RowReader& train, const std::vector<ColumnPlan>& plan);

  /// Reads what to_json() wrote; `where` names it. Throws UserError.
  static TableEncoder from_json(const Json& json, std::string_view where);
  Json to_json() const;

  /// `folder`/preprocessor_config.json. Throw UserError and EnvironmentError.
  static TableEncoder load(const std::filesystem::path& folder);
  void save(const std::filesystem::path& folder) const;

  /// Names of the numbers of a row, such as "price", "colour=red", "day.year_sin".
  const std::vector<std::string>& number_names() const { return number_names_; }

  /// For each index of a row how many values it takes: the rows of its embedding.
  const std::vector<int64_t>& cardinalities() const { return cardinalities_; }

  /// The columns of the data that it reads.
  const std::vector<std::string>& column_names() const { return column_names_; }

  /// How it reads each of them.
  const std::vector<ColumnEncoding>& encodings() const { return encodings_; }

  /// Where the encoder's columns stand in a file. Throws UserError for one that is not there.
  std::vector<size_t> find_columns(const RowReader& reader) const;

  /// One row; `columns` from find_columns(), `numbers` as long as number_names(), `indices` as cardinalities(). Throws
  /// UserError at `where` for a cell that is no number or date where one is needed.
  void encode(const Row& row, std::span<const size_t> columns, std::string_view where, std::span<float> numbers,
              std::span<int32_t> indices) const;

 private:
  struct Column {
    std::string name;
    ColumnEncoding encoding = ColumnEncoding::standardize;
    double fill = 0, center = 0, scale = 1;
    int64_t buckets = 0;
    std::map<std::string, int32_t, std::less<>> categories;  ///< name to place
  };
  explicit TableEncoder(std::vector<Column> columns);

  std::vector<Column> columns_;
  std::vector<std::string> column_names_;
  std::vector<ColumnEncoding> encodings_;
  std::vector<std::string> number_names_;
  std::vector<int64_t> cardinalities_;
};

}  // namespace suanli
