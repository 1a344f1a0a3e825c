#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "monitor/sketch.h"
#include "monitor/sketch_json.h"

namespace suanli::monitor {
namespace {

constexpr uint32_t kKeySite = 0xDA7A0042;  // index: the vector
constexpr double kLargestFloat = std::numeric_limits<float>::max();

/// The double of the shortest decimal that reads back as `value`: written as JSON it is that decimal.
double short_double(float value) {
  char digits[32];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  double read = 0;
  std::from_chars(digits, end, read);
  return read;
}

}  // namespace

void VectorSketch::add(std::span<const float> vector) {
  if (vector.empty() || vector.size() > kWidest || (count_ > 0 && vector.size() != width())) {
    throw UserError("drift", concat("expected vectors of ", count_ > 0 ? width() : kWidest, " values",
                                    count_ > 0 ? "" : " at most", ", got ", vector.size()));
  }
  if (!std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); })) {
    ++not_finite_;
    return;
  }
  mean_.resize(vector.size());
  const auto words = philox({stream_, 0, kKeySite}, static_cast<uint64_t>(count_++));
  const auto key = static_cast<int64_t>((uint64_t{words[0]} << 32 | words[1]) >> 1);
  const double share = 1 / static_cast<double>(count_);
  for (size_t i = 0; i < vector.size(); ++i) mean_[i] += (vector[i] - mean_[i]) * share;
  if (kept_.size() == capacity_) {
    if (capacity_ == 0 || key >= kept_.front().key) return;
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.pop_back();
  }
  kept_.push_back({key, {vector.begin(), vector.end()}});
  std::push_heap(kept_.begin(), kept_.end());
}

void VectorSketch::merge(const VectorSketch& other) {
  if (count_ > 0 && other.count_ > 0 && width() != other.width()) {
    throw UserError("drift", concat("expected vectors of ", width(), " values, got ", other.width()));
  }
  not_finite_ += other.not_finite_;
  if (other.count_ == 0) return;
  capacity_ = std::min(capacity_, other.capacity_);
  mean_.resize(other.width());
  count_ += other.count_;
  const double share = static_cast<double>(other.count_) / static_cast<double>(count_);
  for (size_t i = 0; i < mean_.size(); ++i) mean_[i] += (other.mean_[i] - mean_[i]) * share;
  const std::vector<Kept> others = other.kept_;  // other may be this
  kept_.insert(kept_.end(), others.begin(), others.end());
  std::sort(kept_.begin(), kept_.end());
  kept_.resize(std::min(kept_.size(), capacity_));
  std::make_heap(kept_.begin(), kept_.end());
}

std::vector<std::vector<float>> VectorSketch::vectors() const {
  std::vector<Kept> ordered = kept_;
  std::sort(ordered.begin(), ordered.end());
  std::vector<std::vector<float>> vectors;
  for (Kept& kept : ordered) vectors.push_back(std::move(kept.values));
  return vectors;
}

Json VectorSketch::to_json() const {
  Json kept = Json::array();
  for (const Kept& one : kept_) {
    Json values = Json::array();
    for (const float value : one.values) values.push_back(short_double(value));
    kept.push_back({{"key", one.key}, {"values", std::move(values)}});
  }
  return {{"stream", stream_},         {"capacity", capacity_}, {"count", count_},
          {"not_finite", not_finite_}, {"mean", mean_},         {"kept", std::move(kept)}};
}

VectorSketch VectorSketch::from_json(const Json& json, std::string_view where) {
  VectorSketch sketch(read_stream(json, where),
                      static_cast<size_t>(read_count(json, "capacity", where, kLargestCapacity)));
  sketch.count_ = read_count(json, "count", where);
  sketch.not_finite_ = read_count(json, "not_finite", where);
  for (const Json& value : read_list(json, "mean", kWidest, where)) {
    sketch.mean_.push_back(checked_number(value, "mean", -kLargestFloat, kLargestFloat, where));
  }
  const size_t kept = std::min<size_t>(sketch.capacity_, static_cast<size_t>(sketch.count_));
  for (const Json& one : read_list(json, "kept", kept, where)) {
    Kept read = {read_count(one, "key", where, std::numeric_limits<int64_t>::max()), {}};
    for (const Json& value : read_list(one, "values", sketch.width(), where)) {
      read.values.push_back(static_cast<float>(checked_number(value, "values", -kLargestFloat, kLargestFloat, where)));
    }
    if (read.values.size() != sketch.width()) {
      throw UserError(where, concat("expected vectors of ", sketch.width(), " values, got ", read.values.size()));
    }
    sketch.kept_.push_back(std::move(read));
  }
  if (sketch.kept_.size() != kept || sketch.mean_.empty() != (sketch.count_ == 0)) {
    throw UserError(where, concat("expected ", kept, " vectors and their mean for the count of ", sketch.count_));
  }
  std::make_heap(sketch.kept_.begin(), sketch.kept_.end());
  return sketch;
}

}  // namespace suanli::monitor
