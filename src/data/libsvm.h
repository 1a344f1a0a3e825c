/// Rows of numbers in the sparse format of LIBSVM and SVMlight: "label index:value index:value ... # comment".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/rows.h"

namespace suanli {

inline constexpr int64_t kLibsvmFeatureLimit = 16384;

/// The largest index in the file. Throws UserError for an index that is no whole number or above kLibsvmFeatureLimit:
/// such files are of words, and a table of them would be zeros for the most part.
int64_t libsvm_features(ByteSource source);

/// The largest number among names of columns; 0 where there is none.
int64_t libsvm_features(std::span<const std::string> columns);

/// Columns: "label" (without a leading '+'), then "1" to options.features; an index that is not in a row is the cell
/// "0". Indices rise within a row (LIBSVM asks for it), "qid:" is an error. Numbers are checked where they are used.
std::unique_ptr<RowReader> open_libsvm(ByteSource source, const RowOptions& options);

/// The line of a row: cells that are "0" are left out.
std::string libsvm_line(const std::vector<std::string>& cells);

}  // namespace suanli
