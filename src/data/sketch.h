/// Summaries of a stream in bounded memory: a sample with its quantiles, distinct values, frequent values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace suanli {

/// A uniform sample of at most `capacity` of the values added (Vitter 1985, algorithm R), the same in every run.
class Reservoir {
 public:
  /// `stream` tells the samples of one program apart.
  explicit Reservoir(size_t capacity = size_t{1} << 16, uint32_t stream = 0) : capacity_(capacity), stream_(stream) {}

  void add(double value);

  uint64_t count() const { return count_; }

  /// The sample holds every value: what follows from it is exact.
  bool exact() const { return count_ <= capacity_; }

  /// The largest error of a rank q of quantile(), with probability 0.99: sqrt(ln(2 / 0.01) / (2 capacity)) by the
  /// inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990); 0 where the sample is exact.
  /// 0.0064 for the default capacity.
  double rank_error() const;

  /// The sample, ascending.
  std::vector<double> sorted() const;

 private:
  size_t capacity_;
  uint32_t stream_;
  uint64_t count_ = 0;
  std::vector<double> sample_;
};

/// The value at rank q (0 to 1) of ascending values, linear between neighbours as numpy.quantile does; NaN for none.
double quantile(const std::vector<double>& ascending, double q);

/// How many different values a stream held (HyperLogLog, Flajolet et al. 2007): 4096 registers of a byte, relative
/// standard error 1.04 / sqrt(4096) = 1.6%, linear counting below 2.5 * 4096.
class DistinctCounter {
 public:
  /// `hash`: 64 uniform bits of the value.
  void add(uint64_t hash);
  double estimate() const;

 private:
  static constexpr int kBits = 12;
  std::vector<uint8_t> registers_ = std::vector<uint8_t>(size_t{1} << kBits, 0);
};

/// The frequent values of a stream (Misra and Gries 1982): exact while there are at most `capacity` different ones;
/// beyond that each count is too low by at most lost(), which is at most count / (capacity + 1).
class FrequentValues {
 public:
  explicit FrequentValues(size_t capacity = 1024) : capacity_(capacity) {}

  void add(std::string_view value);

  bool exact() const { return lost_ == 0; }
  int64_t lost() const { return lost_; }

  /// Different values held: their number where exact().
  size_t size() const { return counts_.size(); }

  /// The `limit` largest counts, ties in the order of the values.
  std::vector<std::pair<std::string, int64_t>> largest(size_t limit) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  size_t capacity_;
  int64_t lost_ = 0;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;
};

}  // namespace suanli
