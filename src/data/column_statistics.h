/// What is gathered of one column while a file streams by.
#pragma once

#include <string>
#include <string_view>

#include "data/inspection.h"
#include "data/sketch.h"

namespace suanli {

/// Adds numbers, gives their Distribution.
class DistributionBuilder {
 public:
  DistributionBuilder(size_t capacity, uint32_t stream) : sample_(capacity, stream) {}
  void add(double value);
  Distribution finish() const;
  /// The sample itself, for medians of what follows from it.
  const Reservoir& sample() const { return sample_; }

 private:
  Reservoir sample_;
  double min_ = 0, max_ = 0, mean_ = 0, squares_ = 0;
};

class ColumnStatistics {
 public:
  /// `column` keeps the samples of different columns independent.
  ColumnStatistics(std::string name, size_t sample_capacity, uint32_t column);

  void add(std::string_view cell);

  /// The length of a cell that is not missing, in words or tokens.
  void add_length(int64_t length) { lengths_.add(static_cast<double>(length)); }

  /// `rows`: all rows of the file; those that had no such cell count as missing.
  ColumnSummary finish(int64_t rows) const;

  /// The values with their counts, largest first.
  std::vector<std::pair<std::string, int64_t>> values(size_t limit) const { return frequent_.largest(limit); }

 private:
  std::string type() const;

  ColumnSummary summary_;
  DistributionBuilder values_, lengths_;
  DistinctCounter distinct_;
  FrequentValues frequent_;
  bool long_cells_ = false;
};

}  // namespace suanli
