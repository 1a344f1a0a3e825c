#include "monitor/counter_history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace suanli::monitor {

CounterHistory::CounterHistory(double time, double value)
    : points_{{time, 0}}, newest_{time, 0}, value_(std::isfinite(value) ? value : 0) {}

void CounterHistory::observe(double time, double value, double window) {
  if (!std::isfinite(value) || time <= newest_.time) return;
  last_increase_ = value < value_ ? value : value - value_;
  last_interval_ = time - newest_.time;
  value_ = value;
  newest_ = {time, newest_.total + last_increase_};
  if (newest_.time - points_.back().time >= window / 256) points_.push_back(newest_);
  while (points_.size() > 1 && points_[1].time <= time - window) points_.pop_front();
}

double CounterHistory::rate() const {
  const double seconds = newest_.time - points_.front().time;
  return seconds > 0 ? (newest_.total - points_.front().total) / seconds : 0;
}

double histogram_quantile(double quantile, const std::map<double, double>& buckets) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (buckets.size() < 2 || buckets.rbegin()->first != HUGE_VAL) return kNone;
  std::vector<std::pair<double, double>> rising(buckets.begin(), buckets.end());
  for (size_t i = 1; i < rising.size(); ++i) rising[i].second = std::max(rising[i].second, rising[i - 1].second);
  const double all = rising.back().second;
  if (!(all > 0)) return kNone;
  const double rank = quantile * all;
  size_t bucket = 0;
  while (bucket + 1 < rising.size() && rising[bucket].second < rank) ++bucket;
  if (bucket + 1 == rising.size()) return rising[bucket - 1].first;
  const auto [end, count] = rising[bucket];
  if (bucket == 0 && end <= 0) return end;
  const double begin = bucket == 0 ? 0 : rising[bucket - 1].first;
  const double below = bucket == 0 ? 0 : rising[bucket - 1].second;
  return count == below ? begin : begin + (end - begin) * (rank - below) / (count - below);
}

}  // namespace suanli::monitor
