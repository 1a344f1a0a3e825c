#include "data/column_statistics.h"

#include <algorithm>
#include <cmath>

#include "data/cell.h"
#include "data/hash.h"

namespace suanli {
namespace {

constexpr size_t kBins = 24;
constexpr size_t kShownValues = 20;
constexpr size_t kCountedBytes = 256;  // longer cells are texts: how often one of them comes does not matter

bool is_boolean(std::string_view cell) {
  return cell == "true" || cell == "false" || cell == "True" || cell == "False" || cell == "TRUE" || cell == "FALSE";
}

}  // namespace

void DistributionBuilder::add(double value) {
  sample_.add(value);
  const auto n = static_cast<double>(sample_.count());
  min_ = n == 1 ? value : std::min(min_, value);
  max_ = n == 1 ? value : std::max(max_, value);
  const double delta = value - mean_;  // Welford 1962
  mean_ += delta / n;
  squares_ += delta * (value - mean_);
}

Distribution DistributionBuilder::finish() const {
  Distribution d;
  d.count = static_cast<int64_t>(sample_.count());
  if (d.count == 0) return d;
  d.min = min_;
  d.max = max_;
  d.mean = mean_;
  d.standard_deviation = d.count > 1 ? std::sqrt(squares_ / static_cast<double>(d.count - 1)) : 0;
  d.rank_error = sample_.rank_error();
  const std::vector<double> sorted = sample_.sorted();
  for (const double q : kQuantiles) d.quantiles.push_back(quantile(sorted, q));
  d.histogram.assign(max_ > min_ ? kBins : 1, 0.0);
  for (const double value : sorted) {
    const double place = max_ > min_ ? (value / 2 - min_ / 2) / (max_ / 2 - min_ / 2) * kBins : 0;
    d.histogram[std::min(static_cast<size_t>(place), d.histogram.size() - 1)] +=
        1.0 / static_cast<double>(sorted.size());
  }
  return d;
}

ColumnStatistics::ColumnStatistics(std::string name, size_t sample_capacity, uint32_t column)
    : values_(sample_capacity, 2 * column), lengths_(sample_capacity, 2 * column + 1) {
  summary_.name = std::move(name);
}

void ColumnStatistics::add(std::string_view cell) {
  if (is_missing(cell)) return;
  ++summary_.present;
  if (const auto number = parse_number(cell)) {
    const bool fraction = cell.find_first_of(".eE") != std::string_view::npos;
    ++(fraction ? summary_.numbers : summary_.integers);
    values_.add(*number);
  } else if (is_boolean(cell)) {
    ++summary_.booleans;
  } else if (parse_date(cell)) {
    ++summary_.dates;
  }
  distinct_.add(hash_bytes(cell));
  if (cell.size() <= kCountedBytes) {
    frequent_.add(cell);
  } else {
    long_cells_ = true;
  }
}

std::string ColumnStatistics::type() const {
  const ColumnSummary& s = summary_;
  if (s.present == 0) return "empty";
  if (s.integers == s.present) return "integer";
  if (s.integers + s.numbers == s.present) return "number";
  if (s.booleans == s.present) return "boolean";
  if (s.dates == s.present) return "date";
  if (2 * (s.integers + s.numbers) >= s.present) return "mixed";
  const bool few = !long_cells_ && frequent_.exact() && 2 * static_cast<int64_t>(frequent_.size()) <= s.present;
  return few ? "category" : "text";
}

ColumnSummary ColumnStatistics::finish(int64_t rows) const {
  ColumnSummary s = summary_;
  s.missing = rows - s.present;
  s.type = type();
  s.distinct_exact = !long_cells_ && frequent_.exact();
  s.distinct = s.distinct_exact ? static_cast<double>(frequent_.size()) : std::round(distinct_.estimate());
  s.frequent = frequent_.largest(kShownValues);
  s.frequent_error = frequent_.lost();
  if (s.frequent.empty() || s.frequent[0].second == 1) s.frequent.clear();
  s.values = values_.finish();
  s.lengths = lengths_.finish();
  return s;
}

}  // namespace suanli
