#include "monitor/drift_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "monitor/drift.h"

namespace suanli::monitor {
namespace {

constexpr uint32_t kFirstWindowStream = 1 << 16;  // apart from those of the profile's sketches
constexpr size_t kWindowVectors = 128;            // as many as maximum_mean_discrepancy() takes

/// A baseline and the two halves of the window that is compared with it.
template <class Sketch>
struct Compared {
  const Sketch &baseline, &older, &newer;
};

/// Collects the scores of one feature.
class Judge {
 public:
  Judge(const DriftOptions& options, const std::string& feature, std::vector<DriftScore>* scores)
      : options_(options), feature_(feature), scores_(scores) {}

  void judge(const Compared<NumberSketch>& compared) {
    const auto& [baseline, older, newer] = compared;
    judge_missing(baseline.count(), baseline.missing() + baseline.not_finite(), older.count() + newer.count(),
                  older.missing() + older.not_finite() + newer.missing() + newer.not_finite());
    if (!enough(baseline.count(), older.count() + newer.count())) return;
    const Sample before = baseline.quantiles().sample();
    const Sample now = joined(older.quantiles().sample(), newer.quantiles().sample());
    add("kolmogorov_smirnov", kolmogorov_smirnov(before, now), options_.kolmogorov_smirnov);
    add("population_stability", population_stability(before, now), options_.population_stability);
    const double deviation = std::sqrt(baseline.variance());
    if (deviation == 0) return;
    const Distance moved = wasserstein(before, now);
    add("wasserstein", {moved.distance / deviation}, std::max(options_.wasserstein, 3 * moved.by_chance / deviation));
  }

  void judge(const Compared<CategorySketch>& compared) {
    const auto& [baseline, older, newer] = compared;
    judge_missing(baseline.count(), baseline.missing(), older.count() + newer.count(),
                  older.missing() + newer.missing());
    if (!enough(baseline.count(), older.count() + newer.count())) return;
    // What the baseline does not name is one category.
    CountTable table;
    double rest = static_cast<double>(older.count() + newer.count());
    for (const auto& [name, count] : baseline.counts()) {
      double now = 0;
      for (const CategorySketch* half : {&older, &newer}) {
        const auto at = half->counts().find(name);
        if (at != half->counts().end()) now += static_cast<double>(at->second);
      }
      table.baseline.push_back(static_cast<double>(count));
      table.window.push_back(now);
      rest -= now;
    }
    table.baseline.push_back(static_cast<double>(baseline.other()));
    table.window.push_back(rest);
    table = with_rare_pooled(table);
    add("chi_square", sized(chi_square(table)), options_.chi_square);
    add("jensen_shannon", jensen_shannon(table), options_.jensen_shannon);
  }

  void judge(const Compared<VectorSketch>& compared) {
    const auto& [baseline, older, newer] = compared;
    judge_missing(baseline.count(), baseline.not_finite(), older.count() + newer.count(),
                  older.not_finite() + newer.not_finite());
    if (!enough(baseline.count(), older.count() + newer.count())) return;
    VectorSketch now = older;
    now.merge(newer);
    add("mmd", maximum_mean_discrepancy(baseline.vectors(), now.vectors(), {.vectors = kWindowVectors}), 0);
  }

 private:
  /// True where there is enough to judge; remembers how many values are compared.
  bool enough(int64_t before, int64_t now) {
    before_ = before, now_ = now;
    return before >= options_.least && now >= options_.least;
  }

  void judge_missing(int64_t before, int64_t missing_before, int64_t now, int64_t missing_now) {
    if (missing_before + missing_now == 0 || !enough(before + missing_before, now + missing_now)) return;
    add("missing",
        sized(chi_square({{static_cast<double>(before), static_cast<double>(missing_before)},
                          {static_cast<double>(now), static_cast<double>(missing_now)}})),
        options_.chi_square);
  }

  /// A chi-square with its effect size as the statistic.
  TestResult sized(const TestResult& result) const {
    return {effect_size(result.statistic, static_cast<double>(before_), static_cast<double>(now_)), result.p_value};
  }

  void add(const char* test, const TestResult& result, double threshold) {
    const bool by_chance = result.p_value >= options_.p_value;  // false where it is NaN
    scores_->push_back({feature_, test, result.statistic, result.p_value, threshold,
                        result.statistic > threshold && !by_chance, before_, now_});
  }

  const DriftOptions& options_;
  const std::string& feature_;
  std::vector<DriftScore>* scores_;
  int64_t before_ = 0, now_ = 0;
};

}  // namespace

DriftWatch::DriftWatch(BaselineProfile baseline, const DriftOptions& options) : options_(options) {
  if (options.window < 2) throw UserError("drift", concat("expected a window of 2 or more, got ", options.window));
  const auto watch = [&](std::string_view name, const FeatureSketch& sketch) {
    features_.try_emplace(std::string(name), Feature{sketch, empty_half(sketch), empty_half(sketch)});
  };
  for (const auto& [name, sketch] : baseline.features()) watch(name, sketch);
  const auto labels = baseline.features().find(kLabel);
  if (labels != baseline.features().end()) watch(kPrediction, labels->second);
}

FeatureSketch DriftWatch::empty_half(const FeatureSketch& like) {
  const uint32_t stream = kFirstWindowStream + halves_++;
  if (std::holds_alternative<NumberSketch>(like)) return NumberSketch(stream);
  if (std::holds_alternative<CategorySketch>(like)) return CategorySketch();
  return VectorSketch(stream, kWindowVectors);
}

void DriftWatch::observe(std::span<const Observed> observed) {
  const std::lock_guard lock(mutex_);
  for (const Observed& one : observed) {
    const auto at = features_.find(one.feature);
    if (at == features_.end()) continue;
    Feature& feature = at->second;
    const auto* vectors = std::get_if<VectorSketch>(&feature.baseline);
    const auto* vector = std::get_if<std::span<const float>>(&one.value);
    if (vectors != nullptr && vector != nullptr && vector->size() != vectors->width()) continue;
    if (feature.in_newer == options_.window / 2) {
      feature.older = std::exchange(feature.newer, empty_half(feature.baseline));
      feature.in_newer = 0;
    }
    feature.in_newer += add_to(feature.newer, one);
  }
}

std::vector<DriftScore> DriftWatch::scores() const {
  std::vector<DriftScore> scores;
  for (const auto& [name, feature] : features_) {  // its names and baselines never change
    const auto [older, newer] = [&, &seen = feature] {
      const std::lock_guard lock(mutex_);
      return std::pair(seen.older, seen.newer);
    }();
    Judge judge(options_, name, &scores);
    std::visit(
        [&, &before = older, &now = newer](const auto& baseline) {
          using Sketch = std::decay_t<decltype(baseline)>;
          judge.judge(Compared<Sketch>{baseline, std::get<Sketch>(before), std::get<Sketch>(now)});
        },
        feature.baseline);
  }
  return scores;
}

}  // namespace suanli::monitor
