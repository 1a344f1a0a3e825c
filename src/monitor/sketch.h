/// What was seen of a feature, in bounded memory: sketches of numbers, categories and vectors that merge and are
/// written as JSON. Values read back are the same to the last bit.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "monitor/sample.h"

namespace suanli::monitor {

/// Numbers of a larger size count as not finite: a sum of their squares would overflow.
constexpr double kLargestNumber = 1e140;

/// Quantiles of a stream: KLL (Karnin, Lang and Liberty 2016, "Optimal quantile approximation in streams") with counted
/// coins. Level h holds values that stand for 2^h each; a level that is too full is sorted, and every other value of it
/// goes one level up, beginning with the first or the second as the coin says. The largest levels hold 512, each below
/// two thirds of the one above, at least 8: at most 1,768 values for any count. Exact up to 512 values.
class QuantileSketch {
 public:
  /// `stream` keys the coins: sketches that will be merged have different ones, so that their errors do not add up.
  explicit QuantileSketch(uint32_t stream = 0);

  /// A value of a size of at most kLargestNumber.
  void add(double value);
  void merge(const QuantileSketch& other);

  int64_t count() const { return count_; }
  /// Values in memory.
  size_t held() const { return held_; }
  /// The share of all values by which a rank may be wrong, with probability 0.99 for each rank. One move up from level
  /// h changes a rank by +-2^h or not at all, each sign equally likely, so that by Azuma's and Hoeffding's inequality
  /// the error is below sqrt(2 ln(2 / 0.01) sum of 4^h) / count. About 0.005 for one stream of any length, up to twice
  /// that after merges; 0 while exact.
  double rank_error() const;
  /// The values and how many each stands for.
  Sample sample() const;

  Json to_json() const;
  /// Throws UserError at `where` for anything that to_json() cannot have written.
  static QuantileSketch from_json(const Json& json, std::string_view where);

 private:
  size_t capacity(size_t level) const;
  void add_level();
  void compact(size_t level);
  void compress();

  uint32_t stream_;
  int64_t count_ = 0;
  size_t held_ = 0, limit_ = 0;  // values in memory, and the most before levels are compacted
  int64_t moves_ = 0;            // compactions so far: the number of the next coin
  double squares_ = 0;           // the sum of 4^h of rank_error()
  std::vector<std::vector<double>> levels_;
};

/// A numeric feature: moments, extremes, quantiles, and what was no number.
class NumberSketch {
 public:
  explicit NumberSketch(uint32_t stream = 0) : quantiles_(stream) {}

  void add(double value);
  void add_missing() { ++missing_; }
  void merge(const NumberSketch& other);

  int64_t count() const { return quantiles_.count(); }  ///< finite values
  int64_t missing() const { return missing_; }
  int64_t not_finite() const { return not_finite_; }
  double mean() const { return mean_; }  ///< 0 where there is no value, as are the next three
  /// With n - 1 (Welford 1962; merged as Chan, Golub and LeVeque 1983); 0 for fewer than two values.
  double variance() const;
  double min() const { return min_; }
  double max() const { return max_; }
  const QuantileSketch& quantiles() const { return quantiles_; }

  Json to_json() const;
  /// Throws UserError at `where`.
  static NumberSketch from_json(const Json& json, std::string_view where);

 private:
  int64_t missing_ = 0, not_finite_ = 0;
  double mean_ = 0, squares_ = 0, min_ = 0, max_ = 0;  // squares_: of the differences to the mean
  QuantileSketch quantiles_;
};

/// A categorical feature: the frequent values with their counts (Misra and Gries 1982; merged as Agarwal et al. 2012,
/// "Mergeable summaries"). Exact while there are at most `capacity` different values; beyond that each count is too low
/// by at most other() / (capacity + 1).
class CategorySketch {
 public:
  static constexpr size_t kCapacity = 256, kLargestCapacity = 65'536;  ///< different values
  static constexpr size_t kLongestName = 128;  ///< bytes: longer names are cut, also before a byte that is not UTF-8

  explicit CategorySketch(size_t capacity = kCapacity) : capacity_(capacity) {}

  void add(std::string_view name, int64_t times = 1);
  void add_missing() { ++missing_; }
  /// The smaller capacity holds for both.
  void merge(const CategorySketch& other);

  int64_t count() const { return count_; }
  int64_t missing() const { return missing_; }
  /// Those counted that stand in none of counts().
  int64_t other() const;
  const std::map<std::string, int64_t, std::less<>>& counts() const { return counts_; }

  Json to_json() const;
  /// Throws UserError at `where`.
  static CategorySketch from_json(const Json& json, std::string_view where);

 private:
  void shrink();

  size_t capacity_;
  int64_t count_ = 0, missing_ = 0;
  std::map<std::string, int64_t, std::less<>> counts_;
};

/// Vectors such as embeddings: their mean, and a uniform sample of at most `capacity`. Each vector has a counted random
/// key, and those with the smallest keys stay (bottom-k sampling, Cohen and Kaplan 2007), so that the sample of a merge
/// does not depend on the order of merging.
class VectorSketch {
 public:
  static constexpr size_t kCapacity = 256, kLargestCapacity = 4096, kWidest = 65'536;

  /// `stream` keys the random numbers, as in QuantileSketch.
  explicit VectorSketch(uint32_t stream = 0, size_t capacity = kCapacity) : stream_(stream), capacity_(capacity) {}

  /// The first vector says how wide all are. Throws UserError for another width, none, or more than kWidest. A vector
  /// with a value that is not finite is only counted.
  void add(std::span<const float> vector);
  /// The smaller capacity holds for both. Throws UserError for sketches of different widths.
  void merge(const VectorSketch& other);

  int64_t count() const { return count_; }
  int64_t not_finite() const { return not_finite_; }
  size_t width() const { return mean_.size(); }
  const std::vector<double>& mean() const { return mean_; }
  /// The sample in the order of its keys, which is a random one.
  std::vector<std::vector<float>> vectors() const;

  Json to_json() const;
  /// Throws UserError at `where`.
  static VectorSketch from_json(const Json& json, std::string_view where);

 private:
  struct Kept {
    int64_t key;
    std::vector<float> values;
    auto operator<=>(const Kept&) const = default;
  };

  uint32_t stream_;
  size_t capacity_;
  int64_t count_ = 0, not_finite_ = 0;
  std::vector<double> mean_;
  std::vector<Kept> kept_;  // a heap, the largest key first
};

}  // namespace suanli::monitor
