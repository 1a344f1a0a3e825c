#include "data/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

#include "base/random.h"
#include "data/random_sites.h"

namespace suanli {

void Reservoir::add(double value) {
  ++count_;
  if (sample_.size() < capacity_) {
    sample_.push_back(value);
    return;
  }
  // Value number n stays with probability capacity / n; the place is 64 random bits modulo n, whose bias
  // of n / 2^64 is nothing.
  const auto words = philox({0, stream_, kReservoirSite}, count_);
  const uint64_t bits = uint64_t{words[0]} << 32 | words[1];
  const uint64_t place = bits % count_;
  if (place < capacity_) sample_[place] = value;
}

double Reservoir::rank_error() const {
  return exact() ? 0.0 : std::sqrt(std::log(2 / 0.01) / (2 * static_cast<double>(capacity_)));
}

std::vector<double> Reservoir::sorted() const {
  std::vector<double> values = sample_;
  std::sort(values.begin(), values.end());
  return values;
}

double quantile(const std::vector<double>& ascending, double q) {
  if (ascending.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

void DistinctCounter::add(uint64_t hash) {
  const size_t place = hash >> (64 - kBits);
  const int rank = std::countl_zero(hash << kBits | uint64_t{1} << (kBits - 1)) + 1;
  registers_[place] = std::max(registers_[place], static_cast<uint8_t>(rank));
}

double DistinctCounter::estimate() const {
  const auto m = static_cast<double>(registers_.size());
  double sum = 0, empty = 0;
  for (const uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  return raw <= 2.5 * m && empty > 0 ? m * std::log(m / empty) : raw;
}

void FrequentValues::add(std::string_view value) {
  if (const auto at = counts_.find(value); at != counts_.end()) {
    ++at->second;
  } else if (counts_.size() < capacity_) {
    counts_.emplace(value, 1);
  } else {
    // One of each value held and the new one leave together, which loses one of each.
    ++lost_;
    for (auto held = counts_.begin(); held != counts_.end();) {
      held = --held->second == 0 ? counts_.erase(held) : std::next(held);
    }
  }
}

std::vector<std::pair<std::string, int64_t>> FrequentValues::largest(size_t limit) const {
  std::vector<std::pair<std::string, int64_t>> all(counts_.begin(), counts_.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  all.resize(std::min(limit, all.size()));
  return all;
}

}  // namespace suanli
