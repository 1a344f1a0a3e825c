#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "monitor/sketch.h"
#include "monitor/sketch_json.h"

namespace suanli::monitor {
namespace {

constexpr size_t kLargestLevel = 512, kSmallestLevel = 8, kMostLevels = 43;  // counts up to 2^53
constexpr uint32_t kCoinSite = 0xDA7A0041;                                   // index: the compaction

}  // namespace

QuantileSketch::QuantileSketch(uint32_t stream) : stream_(stream) { add_level(); }

size_t QuantileSketch::capacity(size_t level) const {
  const auto below_top = static_cast<double>(levels_.size() - 1 - level);
  return std::max(kSmallestLevel, static_cast<size_t>(kLargestLevel * std::pow(2.0 / 3.0, below_top)));
}

void QuantileSketch::add_level() {
  levels_.emplace_back();
  limit_ = 0;
  for (size_t level = 0; level < levels_.size(); ++level) limit_ += capacity(level);
}

void QuantileSketch::compact(size_t level) {
  if (level + 1 == levels_.size()) add_level();
  std::vector<double>& values = levels_[level];
  std::sort(values.begin(), values.end());
  const size_t pairs = values.size() / 2;
  const size_t coin = philox({stream_, 0, kCoinSite}, static_cast<uint64_t>(moves_++))[0] & 1;
  for (size_t i = 0; i < pairs; ++i) levels_[level + 1].push_back(values[2 * i + coin]);
  values.erase(values.begin(), values.begin() + static_cast<int64_t>(2 * pairs));  // an odd one stays for itself
  held_ -= pairs;
  squares_ += std::ldexp(1.0, static_cast<int>(2 * level));
}

void QuantileSketch::compress() {
  while (held_ > limit_) {
    size_t level = 0;
    while (levels_[level].size() <= capacity(level)) ++level;
    compact(level);
  }
}

void QuantileSketch::add(double value) {
  levels_[0].push_back(value);
  ++count_;
  if (++held_ > limit_) compress();
}

void QuantileSketch::merge(const QuantileSketch& other) {
  while (levels_.size() < other.levels_.size()) add_level();
  for (size_t level = 0; level < other.levels_.size(); ++level) {
    const std::vector<double> values = other.levels_[level];  // other may be this
    levels_[level].insert(levels_[level].end(), values.begin(), values.end());
  }
  held_ += other.held_;
  count_ += other.count_;
  moves_ += other.moves_;
  squares_ += other.squares_;
  compress();
}

double QuantileSketch::rank_error() const {
  return count_ == 0 ? 0 : std::sqrt(2 * std::log(2 / 0.01) * squares_) / static_cast<double>(count_);
}

Sample QuantileSketch::sample() const {
  std::vector<double> values, weights;
  for (size_t level = 0; level < levels_.size(); ++level) {
    values.insert(values.end(), levels_[level].begin(), levels_[level].end());
    weights.resize(values.size(), std::ldexp(1.0, static_cast<int>(level)));
  }
  return sample_of(std::move(values), std::move(weights));
}

Json QuantileSketch::to_json() const {
  return {{"stream", stream_}, {"moves", moves_}, {"squares", squares_}, {"levels", levels_}};
}

QuantileSketch QuantileSketch::from_json(const Json& json, std::string_view where) {
  QuantileSketch sketch(read_stream(json, where));
  sketch.moves_ = read_count(json, "moves", where);
  sketch.squares_ = read_number(json, "squares", 0, 0x1p106, where);
  const Json& levels = read_list(json, "levels", kMostLevels, where);
  while (sketch.levels_.size() < levels.size()) sketch.add_level();
  for (size_t level = 0; level < levels.size(); ++level) {
    if (!levels[level].is_array() || levels[level].size() + sketch.held_ > sketch.limit_) {
      throw UserError(where, concat("expected lists of at most ", sketch.limit_, " numbers together as \"levels\""));
    }
    for (const Json& value : levels[level]) {
      sketch.levels_[level].push_back(checked_number(value, "levels", -kLargestNumber, kLargestNumber, where));
    }
    sketch.held_ += levels[level].size();
    sketch.count_ += static_cast<int64_t>(levels[level].size()) << level;
  }
  return sketch;
}

}  // namespace suanli::monitor
