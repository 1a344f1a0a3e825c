/// The rules of clean that look at one row at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/clean.h"
#include "data/content.h"
#include "data/rows.h"

namespace suanli {

/// Of one column of numbers.
struct NumberSurvey {
  bool numeric = false;  ///< every present cell is a number, and there is one
  double median = 0, lower_quartile = 0, upper_quartile = 0,
         deviation = 0;  ///< deviation: MAD, the median of |x - median|
};

/// Why a row cannot stay; an empty reason: it can.
struct Verdict {
  std::string_view reason;
  std::string detail;
};

/// Repairs all cells of a row; the bits of Repair that were needed.
uint8_t repair_row(Row* row);

class RowRules {
 public:
  /// Resolves the columns. `survey`: one a column, or empty where neither medians nor outliers are asked for. Throws
  /// UserError for columns that are not there or that are not numbers where numbers are needed.
  RowRules(const CleanOptions& options, const RowReader& reader, std::vector<NumberSurvey> survey);

  /// Judges a repaired row and fills its missing cells; `filled` counts them.
  Verdict judge(Row* row, int64_t* filled) const;

  /// The columns that duplicates are told by.
  const std::vector<size_t>& content_columns() const { return content_; }

 private:
  static constexpr size_t kNoColumn = static_cast<size_t>(-1);
  Verdict judge_label(const Row& row) const;
  Verdict judge_missing(Row* row, int64_t* filled) const;
  Verdict judge_text(const Row& row) const;
  Verdict judge_numbers(const Row& row) const;
  std::vector<size_t> chosen(const std::vector<std::string>& names, bool numbers, const char* what) const;

  const CleanOptions& options_;
  const RowReader& reader_;
  std::vector<NumberSurvey> survey_;
  std::vector<Script> scripts_;
  size_t label_ = kNoColumn;
  std::vector<size_t> content_, text_, missing_, outliers_;
  double outlier_threshold_ = 0;
};

}  // namespace suanli
