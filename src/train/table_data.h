/// Rows of tables for a run: the parts of a file, their labels, and what a network gets of them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/rows.h"
#include "data/table_encoder.h"
#include "models/tabular/config.h"
#include "train/arguments.h"
#include "train/dataset.h"

namespace suanli {

/// The rows of a file, or of one part of it.
struct TablePart {
  std::filesystem::path file = {};
  RowOptions options = {};
  std::vector<uint8_t> parts = {};  ///< the part of each row, from the first; empty: all rows are taken
  uint8_t part = 0;

  bool empty() const { return file.empty(); }
};

/// Opens a part; bad rows are passed over, with a warning, where on_bad_row is skip. Throws as open_rows().
std::unique_ptr<RowReader> open_part(const TablePart& part);

struct TableParts {
  TablePart train, validation, test;
};

/// The parts that the arguments name, read only as far as do_train, do_eval and do_predict need them; the training file
/// is split by validation_split and test_split, stratified by `label` unless it is a number to be learned.
TableParts table_parts(const TrainArguments& arguments, const std::string& label, bool regression);

/// The column of labels: as named, or label, target or class where there is one. Throws UserError.
std::string label_column_of(const RowReader& reader, const std::string& named);

/// The classes of a part, in the order of LabelTable; or the mean and the deviation of its numbers. Throws UserError
/// for a label that is missing or, for numbers, none.
LabelTable classes_of(const TablePart& part, const std::string& label);
struct TargetScale {
  double mean = 0, deviation = 1;
};
TargetScale target_scale_of(const TablePart& part, const std::string& label);

/// How each column is encoded: by the rows of `part` (suggested_plan), but as `asked` says ("age=log", "job=hashed:64",
/// "id=none") for those it names. Throws UserError for a column or encoding that is not there.
std::vector<ColumnPlan> column_plan(const TablePart& part, const std::string& label,
                                    const std::vector<std::string>& asked);

/// Numbers, categories and targets of each row; `seen` is called with each. Throws UserError with file and line for
/// labels never seen in training and cells that cannot be read, and for columns that are not there.
Dataset encode_part(const TablePart& part, const TableEncoder& encoder, const std::string& label,
                    const LabelTable& labels, const models::TabularConfig& config, int64_t limit,
                    const std::function<void(const RowReader& reader, const Row& row)>& seen = {});

}  // namespace suanli
