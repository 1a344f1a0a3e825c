/// The split of a data file into training, validation and test files, and what leaks from one into another.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/inspection.h"
#include "data/rows.h"

namespace suanli {

inline constexpr const char* kPartNames[] = {"train", "validation", "test"};

struct RowSplitOptions {
  std::array<double, 3> ratios = {0.8, 0.1, 0.1};  ///< of train, validation and test; they sum to 1, train is above 0
  uint64_t seed = 42;
  std::string stratify_column = {};  ///< each value gives its share to each part, to within a row
  std::string group_column = {};     ///< rows of one value stay in one part
  std::string time_column = {};   ///< numbers or ISO 8601 dates: the oldest rows are for training, the newest for test
  bool group_duplicates = false;  ///< rows of the same content stay in one part, as a group
  std::vector<std::string> content_columns = {};  ///< what a row says; empty: text columns as guessed for training,
                                                  ///< else all columns but `label_column`
  std::string label_column = {};
};

/// Rows are counted from one.
struct Leak {
  int64_t row = 0, other_row = 0;
  uint8_t part = 0, other_part = 0;
};

struct RowSplit {
  std::vector<uint8_t> parts;  ///< 0, 1, 2: one a row
  std::array<int64_t, 3> rows = {0, 0, 0};
  int64_t content_leaks = 0;                           ///< rows whose normalised content also stands in an earlier part
  int64_t group_leaks = 0;                             ///< rows whose group also stands in an earlier part
  std::vector<Leak> content_examples, group_examples;  ///< the first five of each

  bool leaks() const { return content_leaks > 0 || group_leaks > 0; }
};

/// Gives each row its part; a function of the file, the options and nothing else.
///   plain or stratified: split_rows (split.h).
///   groups (the column, or equal content): shuffled by the seed; each goes to the part that misses most of its share.
///     Validation and test miss their ratios by at most about the largest group, train by two of them.
///   time: rows in the order of time, rows of one time in one part, the earlier. A group column shows leaks alone.
/// Memory: at most 45 bytes a row, and about 80 a group. Throws UserError: ratios, columns that are not there, times
/// that cannot be read, an empty group, two ways at once, a part that would get no row though its ratio is above 0.
RowSplit split_file(const std::filesystem::path& file, const RowOptions& format, const RowSplitOptions& options,
                    const ReadProgress& progress = {});

/// Writes the rows of each part to `folder`/train.EXT, validation.EXT, test.EXT (EXT as in the name of `file`; a part
/// of ratio 0 has no file), in the order of `file`; each is whole or absent. Throws as WholeFile.
void write_parts(const std::filesystem::path& file, const RowOptions& format, const RowSplit& split,
                 const std::filesystem::path& folder, const ReadProgress& progress = {});

}  // namespace suanli
