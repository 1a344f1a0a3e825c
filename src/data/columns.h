/// Which column of a data file is text, pair and label; and a column's value as a label.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/example.h"
#include "data/reader.h"

namespace suanli {

/// Names of the columns to read; empty `pair`, `negative` and `label` where there is none to read.
struct ColumnChoice {
  std::vector<std::string> text;
  std::string pair, negative, label;
};

/// Chooses among `columns` as ReaderOptions says. Throws UserError at `where` naming what is there.
ColumnChoice choose_columns(const std::vector<std::string>& columns, const ReaderOptions& options,
                            std::string_view where);

/// Sets the label or score of `example` from one value in text form. Throws UserError at `where`.
void set_label(Example* example, std::string_view value, const ReaderOptions& options, const std::string& where);

}  // namespace suanli
