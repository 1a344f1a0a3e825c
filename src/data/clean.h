/// Cleaning of a data file: repair what can be repaired, fill or reject what cannot, and say why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/inspection.h"
#include "data/rows.h"

namespace suanli {

enum class MissingRule { keep, drop, median, constant };
enum class OutlierRule { none, robust_z, iqr };

struct CleanOptions {
  bool repair = true;                          ///< encodings, by repair_text (repair.h)
  bool exact_duplicates = true;                ///< rows of the same normalised content (content.h): the first stays
  double near_duplicate_threshold = 0;         ///< Jaccard similarity from 0.5 to 1; 0: not looked for
  int64_t near_duplicate_words = 3;            ///< words a shingle
  std::vector<std::string> duplicate_columns;  ///< compared for duplicates; empty: all but the label
  std::vector<std::string> text_columns;       ///< joined for lengths and scripts; empty: guessed as for training
  int64_t min_words = 0, max_words = 0;        ///< 0: no limit
  int64_t min_characters = 0, max_characters = 0;
  std::vector<std::string> scripts;  ///< names of Script; empty: any
  double script_share = 0.5;         ///< of the letters, at least
  OutlierRule outliers = OutlierRule::none;
  double outlier_threshold = 0;              ///< 0: 3.5 for robust_z, 3 for iqr
  std::vector<std::string> outlier_columns;  ///< empty: the columns of numbers but the label
  MissingRule missing = MissingRule::keep;
  std::vector<std::string> missing_columns;  ///< empty: all but the label; for median the columns of numbers
  std::string missing_value;                 ///< of MissingRule::constant
  std::string label_column;
  std::vector<std::string> allowed_labels;
  std::filesystem::path predictions;  ///< a probability for each class of each row (label_errors.h); empty: none
};

struct CleanReport {
  int64_t rows = 0, kept = 0;
  std::map<std::string, int64_t> rejected;  ///< by reason
  std::map<std::string, int64_t> repaired;  ///< rows with such a repair, kept or not
  int64_t filled = 0;                       ///< missing cells filled in kept rows
};

/// Reads `file` once, and once more for each of: the medians and outliers, the duplicates, suspected labels (twice).
/// Writes the kept rows to `kept` in the format of the file and the others to `rejected`, JSON lines of
/// {"row", "line", "reason", "detail", "cells"}; with both paths empty it counts alone. Rows keep their order; the
/// result does not depend on the number of threads.
///
/// A row is rejected for the first that holds: bad_row, label_not_allowed, missing_cell, too_short, too_long,
/// other_script, outlier, suspected_label, duplicate, near_duplicate. Duplicates are looked for among the rows that
/// pass the rest.
///
/// Outliers. robust_z: 0.6745 |x - median| / MAD above the threshold (Iglewicz and Hoaglin 1993); iqr: x further than
/// threshold times the interquartile range from the quartiles (Tukey 1977). Median, quartiles and MAD come from a
/// Reservoir (sketch.h); a column whose MAD or range is 0 has no outliers.
///
/// Memory: 512 KiB a column of numbers, and up to 16 bytes a row for duplicates of either kind (sketch.h,
/// duplicates.h). Throws UserError (options, columns, standard input, bad rows unless `format.on_bad_row` is skip),
/// EnvironmentError.
CleanReport clean(const std::filesystem::path& file, RowOptions format, const CleanOptions& options,
                  const std::filesystem::path& kept, const std::filesystem::path& rejected,
                  const ReadProgress& progress = {});

/// How often clean() will read the file.
int clean_passes(const CleanOptions& options);

Json to_json(const CleanReport& report);
std::string to_text(const CleanReport& report);

}  // namespace suanli
