/// Compares what a service sees with the baseline profile of its model, over a window of the last observations.
#pragma once

#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/profile.h"

namespace suanli::monitor {

/// A test says drift where its statistic is above the threshold and its p-value, as far as it has one, below
/// `p_value`: a change large enough to matter that chance would hardly make. By p-values alone large windows would
/// report any change, by statistics alone small windows would report chance.
struct DriftOptions {
  int64_t window = 1000;  ///< observations of a feature; the last 500 to 1000 count, see DriftWatch
  int64_t least = 100;    ///< a feature is judged once its baseline and its window have so many
  double p_value = 0.01;
  double kolmogorov_smirnov = 0.1;    ///< largest difference of the shares below any value
  double population_stability = 0.2;  ///< a usual limit of "act" in credit scoring; 0.1 is "look"
  double wasserstein = 0.1;           ///< in standard deviations of the baseline; or 3 times what chance makes, if more
  double chi_square = 0.1;            ///< effect_size(): Cohen's "small"
  double jensen_shannon = 0.1;
};

struct DriftScore {
  std::string feature;
  std::string
      test;  ///< kolmogorov_smirnov, population_stability, wasserstein, chi_square, jensen_shannon, mmd, missing
  double statistic = 0;
  double p_value = 0;    ///< NaN where the test has none
  double threshold = 0;  ///< of the statistic
  bool drifted = false;
  int64_t baseline_count = 0, window_count = 0;  ///< values compared
};

/// Every member function may be called from many threads at once; each call takes one lock.
///
/// The window of a feature is two halves: the newer one fills up with window / 2 values, then takes the place of the
/// older. What is compared are both together, the last window / 2 to window values, in memory that does not depend on
/// the window.
class DriftWatch {
 public:
  /// Predictions of a profile that has none are compared with its labels.
  explicit DriftWatch(BaselineProfile baseline, const DriftOptions& options = {});

  /// Values of one request. Features that the baseline does not have, or has of another kind or width, are passed over.
  void observe(std::span<const Observed> observed);

  /// The tests of each feature, in the order of their names; computed by this call. Numbers: kolmogorov_smirnov,
  /// population_stability, and wasserstein unless the baseline is constant. Categories, rare ones pooled: chi_square,
  /// whose statistic is the effect size, and jensen_shannon. Vectors: mmd, with the threshold 0. Where there are
  /// missing or not finite values: missing, as chi_square of present against missing.
  std::vector<DriftScore> scores() const;

 private:
  struct Feature {
    FeatureSketch baseline, older, newer;
    int64_t in_newer = 0;
  };
  FeatureSketch empty_half(const FeatureSketch& like);

  DriftOptions options_;
  mutable std::mutex mutex_;
  uint32_t halves_ = 0;  // begun so far: the stream of the next
  std::map<std::string, Feature, std::less<>> features_;
};

}  // namespace suanli::monitor
