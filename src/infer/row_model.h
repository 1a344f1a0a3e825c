/// A model of tables: the class or the number of a row.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/table_encoder.h"
#include "infer/prediction.h"
#include "models/tabular/config.h"

namespace suanli::infer {

class RowModel {
 public:
  /// A folder of `suanli train` with preprocessor_config.json. Throws UserError.
  RowModel(const std::string& folder, const std::string& device, const std::string& precision);

  const models::TabularConfig& config() const { return config_; }
  const TableEncoder& encoder() const { return encoder_; }

  /// `columns`: where the encoder's columns stand in the row (TableEncoder::find_columns()). Throws UserError at
  /// `where` for a cell that is no number or date where one is needed. Thread safe.
  Prepared prepare(const Row& row, std::span<const size_t> columns, std::string_view where) const;

  /// {"label", "score"} with the probability of the label, or {"value"}; numbers: the probabilities, or the value.
  std::vector<Prediction> predict(std::span<const Prepared> rows) const;

 private:
  LoadedNetwork network_;
  models::TabularConfig config_;
  TableEncoder encoder_;
};

}  // namespace suanli::infer
