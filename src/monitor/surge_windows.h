/// Cuts a stream of counts into windows of equal length; internal to the detectors of surges.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace suanli::monitor {

/// Windows begin with the first time seen and follow one another without gaps.
class CountWindows {
 public:
  explicit CountWindows(double seconds) : seconds_(seconds) {}

  /// Goes on to `time` and calls `closed(end, count)` for each window that is over by then, of a long silence for the
  /// last `most` of them.
  template <class Closed>
  void advance(double time, int64_t most, const Closed& closed) {
    if (!started_) skip(time);
    const double over = std::floor((time - start_) / seconds_);  // windows that have ended
    if (!(over >= 1)) return;
    const double count = count_;
    count_ = 0;
    closed(start_ + seconds_, count);
    const auto silent = static_cast<int64_t>(std::min(over - 1, static_cast<double>(most)));
    for (int64_t window = 0; window < silent; ++window) {
      closed(start_ + (over - static_cast<double>(silent - window - 1)) * seconds_, 0.0);
    }
    start_ += over * seconds_;
  }

  /// Cuts `count` events between `from` and `to` at the borders of windows and calls `part(time, count)` with a time
  /// inside each window. False, and nothing done, where that is more than ten windows.
  template <class Part>
  bool split(double from, double to, double count, const Part& part) const {
    constexpr double kMost = 10;
    if (to - from > kMost * seconds_) return false;
    if (!started_ || !(from < to)) {
      part(to, count);
      return true;
    }
    const double first = std::max(from, start_);
    for (double begin = first, end = first; begin < to; begin = end) {
      end = start_ + (std::floor((begin - start_) / seconds_) + 1) * seconds_;
      if (end <= begin) end = begin + seconds_;  // a border that rounding has put behind us
      end = std::min(end, to);
      part(begin + (end - begin) / 2, count * (end - begin) / (to - first));
    }
    return true;
  }

  void add(double count) { count_ += count; }
  double count() const { return count_; }  ///< of the open window

  /// Begins a new window at `time` and forgets the open one.
  void skip(double time) {
    if (started_ && time < start_) return;
    start_ = time;
    count_ = 0;
    started_ = true;
  }

 private:
  double seconds_;
  double start_ = 0, count_ = 0;
  bool started_ = false;
};

}  // namespace suanli::monitor
