#include <algorithm>
#include <cmath>
#include <limits>

#include "monitor/sketch.h"
#include "monitor/sketch_json.h"

namespace suanli::monitor {

void NumberSketch::add(double value) {
  if (!(std::abs(value) <= kLargestNumber)) {
    ++not_finite_;
    return;
  }
  min_ = count() == 0 ? value : std::min(min_, value);
  max_ = count() == 0 ? value : std::max(max_, value);
  quantiles_.add(value);
  const double difference = value - mean_;
  mean_ = std::clamp(mean_ + difference / static_cast<double>(count()), min_, max_);
  squares_ += difference * (value - mean_);
}

void NumberSketch::merge(const NumberSketch& other) {
  missing_ += other.missing_;
  not_finite_ += other.not_finite_;
  if (other.count() == 0) return;
  min_ = count() == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count() == 0 ? other.max_ : std::max(max_, other.max_);
  const auto here = static_cast<double>(count()), there = static_cast<double>(other.count());
  const double difference = other.mean_ - mean_;
  mean_ = std::clamp(mean_ + difference * (there / (here + there)), min_, max_);
  squares_ += other.squares_ + difference * difference * (here * there / (here + there));
  quantiles_.merge(other.quantiles_);
}

double NumberSketch::variance() const { return count() < 2 ? 0 : squares_ / static_cast<double>(count() - 1); }

Json NumberSketch::to_json() const {
  return {{"count", count()},
          {"missing", missing_},
          {"not_finite", not_finite_},
          {"mean", mean_},
          {"squares", squares_},
          {"min", min_},
          {"max", max_},
          {"quantiles", quantiles_.to_json()}};
}

NumberSketch NumberSketch::from_json(const Json& json, std::string_view where) {
  NumberSketch sketch;
  sketch.missing_ = read_count(json, "missing", where);
  sketch.not_finite_ = read_count(json, "not_finite", where);
  sketch.min_ = read_number(json, "min", -kLargestNumber, kLargestNumber, where);
  sketch.max_ = read_number(json, "max", sketch.min_, kLargestNumber, where);
  sketch.mean_ = read_number(json, "mean", sketch.min_, sketch.max_, where);
  sketch.squares_ = read_number(json, "squares", 0, std::numeric_limits<double>::max(), where);
  const auto at = json.find("quantiles");
  if (at == json.end()) throw UserError(where, "key \"quantiles\" is missing");
  sketch.quantiles_ = QuantileSketch::from_json(*at, where);
  const Sample sample = sketch.quantiles_.sample();
  if (read_count(json, "count", where) != sketch.count() ||
      (sketch.count() > 0 && (sample.values.front() < sketch.min_ || sample.values.back() > sketch.max_))) {
    throw UserError(where, "expected quantiles of as many values as \"count\" says, between \"min\" and \"max\"");
  }
  return sketch;
}

}  // namespace suanli::monitor
