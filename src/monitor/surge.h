/// Detectors of a surge in a stream: a one-sided CUSUM of values, and a test of Poisson counts in windows of time.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/json.h"

namespace suanli::monitor {

/// An alarm that begins or ends.
struct SurgeChange {
  bool began = false;   ///< else it ended
  double time = 0;      ///< seconds; of the observation that decided, or of the end of the window that did
  double value = 0;     ///< the count of the window, or the value
  double expected = 0;  ///< the same by the baseline
};

/// One-sided upper CUSUM (Page 1954, "Continuous inspection schemes", Biometrika 41):
///   S = max(0, S + (x - mean) / deviation - k),  an alarm begins where S > h.
/// k and h count standard deviations; with mean 0 and deviation 1 they count what the stream counts (Lucas 1985,
/// "Counted data CUSUM's"). With k = 0.5, h = 5 and normal values a false alarm comes every 931 values on average, and
/// a shift by one deviation is found after 10.4 (average run lengths: tests/golden/monitor/cusum_arl.py; two such, one
/// a side, are 465 and 10.4 of Montgomery's tables). In an alarm S is held at h at most, and the alarm ends where S
/// comes back to 0: by symmetry it ends as fast after the return to the mean as a shift by 2k is found.
struct CusumOptions {
  double k = 0.5, h = 5;
  double window = 0;   ///< seconds: x is the sum of a window; 0: each value is an x
  int64_t learn = 30;  ///< values that mean and deviation come from; more while all of them are equal
  std::optional<double> mean = {}, deviation = {};  ///< given both: nothing is learned
};

/// A count of events in a window that its baseline does not explain. The `baseline` windows before hold C events in m
/// windows; a count x of a Poisson stream of unchanged rate is, given x + C, binomial (Przyborowski and Wilenski 1940,
/// "Homogeneity of results in testing samples from Poisson series", Biometrika 31):
///   p = P(X >= x) = I_q(x, C + 1),  q = 1 / (m + 1),  I the regularised incomplete beta function.
/// That is the Poisson tail with the uncertainty of the learned rate in it: a false alarm comes in at most a share
/// alpha of the windows however few were learned. An alarm begins as soon as p < alpha and x >= min_count, within the
/// window; it ends with the first window of which that is not true. Windows of an alarm are not learned, but a level
/// that has lasted for `baseline` windows is the new baseline, and the alarm ends.
struct PoissonSurgeOptions {
  double window = 60;  ///< seconds
  double alpha = 0.001;
  double min_count = 5;
  int64_t baseline = 60;  ///< windows
};

using SurgeOptions = std::variant<CusumOptions, PoissonSurgeOptions>;

/// p of PoissonSurgeOptions: a count of `count` after `before` events in `windows` windows. 1 for a count of 0.
double surge_probability(double count, double before, double windows);

/// A stream and whether it surges. Time is in seconds from any moment; one that runs back counts as the latest seen.
class SurgeDetector {
 public:
  virtual ~SurgeDetector() = default;

  /// `value` events at `time` for counts in windows, else the value of the stream. Gives the alarms that began or
  /// ended by it, in order; mostly none. Throws UserError for a value that is not finite, or negative as a count.
  virtual std::vector<SurgeChange> observe(double time, double value) = 0;

  /// A count of events at unknown times between `from` and `to`, as a counter tells that is read now and then: each
  /// window gets its share of the time. After more than ten windows without a reading that would be a guess: skip(to).
  /// A stream of values takes it as the value at `to`.
  virtual std::vector<SurgeChange> observe_between(double from, double to, double count) = 0;

  /// It is `time` and nothing has come since the last observation: windows that are over are judged.
  virtual std::vector<SurgeChange> advance(double time) = 0;

  /// What happened until `time` is not known (no contact): the window that was open is neither judged nor learned.
  virtual void skip(double time) = 0;

  virtual bool active() const = 0;

  /// What a restarted program goes on from. restore() throws UserError for JSON that is no such state.
  virtual Json state() const = 0;
  virtual void restore(const Json& state) = 0;
};

/// Throws UserError for options out of range: window, alpha, k, h or deviation not above 0, fewer than 2 values or 1
/// window to learn from, mean without deviation.
std::unique_ptr<SurgeDetector> make_surge_detector(const SurgeOptions& options);

}  // namespace suanli::monitor
