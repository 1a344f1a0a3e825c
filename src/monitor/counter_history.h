/// The increase of a counter over a window of time, and quantiles of histograms from it.
#pragma once

#include <deque>
#include <map>

namespace suanli::monitor {

/// One series of a counter. A value below the last one means that the counter began again at 0.
class CounterHistory {
 public:
  /// A counter that is first seen at `time`; its increases count from there.
  CounterHistory(double time, double value);

  /// The next value, at a later time; what is older than `window` seconds is forgotten. Bounded: about 256 points.
  void observe(double time, double value, double window);

  /// Per second, between the last point that is a window old (else the first) and the newest; no extrapolation, where
  /// PromQL's rate() extends to the borders of the window. 0 before a second point.
  double rate() const;

  double last_increase() const { return last_increase_; }  ///< between the two newest values
  double last_interval() const { return last_interval_; }  ///< seconds between them; 0 before there are two
  double last_time() const { return newest_.time; }

 private:
  struct Point {
    double time, total;
  };
  std::deque<Point> points_;
  Point newest_;
  double value_;
  double last_increase_ = 0, last_interval_ = 0;
};

/// histogram_quantile() of PromQL for classic buckets: counts at most each upper bound (`le`), linear within a bucket,
/// the second highest bound for the last one; counts that fall are lifted. NaN without a +Inf bucket, with fewer than
/// two buckets or without observations. 0 <= quantile <= 1.
double histogram_quantile(double quantile, const std::map<double, double>& buckets);

}  // namespace suanli::monitor
