#include "monitor/surge.h"

#include <cmath>
#include <deque>

#include <boost/math/special_functions/beta.hpp>

#include "base/concat.h"
#include "base/error.h"
#include "monitor/surge_windows.h"

namespace suanli::monitor {
namespace {

void require_option(bool holds, const char* name, const char* wanted, double got) {
  if (!holds) throw UserError("surge", concat("expected ", name, " to be ", wanted, ", got ", got));
}

/// Shows `detector` the part of `count` that each of its windows has between `from` and `to`.
std::vector<SurgeChange> observe_parts(SurgeDetector& detector, const CountWindows& windows, double from, double to,
                                       double count) {
  std::vector<SurgeChange> changes;
  const bool near = windows.split(from, to, count, [&](double time, double part) {
    for (const SurgeChange& change : detector.observe(time, part)) changes.push_back(change);
  });
  if (!near) detector.skip(to);
  return changes;
}

class Cusum : public SurgeDetector {
 public:
  explicit Cusum(const CusumOptions& options) : options_(options), windows_(options.window) {
    require_option(options.k > 0, "k", "above 0", options.k);
    require_option(options.h > 0, "h", "above 0", options.h);
    require_option(options.window >= 0, "window", "at least 0 seconds", options.window);
    require_option(options.learn >= 2, "learn", "at least 2", static_cast<double>(options.learn));
    if (options.mean.has_value() != options.deviation.has_value()) {
      throw UserError("surge", "expected mean and deviation together, got one of them; give both or none");
    }
    if (!options.mean) return;
    mean_ = *options.mean;
    deviation_ = *options.deviation;
    require_option(deviation_ > 0, "deviation", "above 0", deviation_);
  }

  std::vector<SurgeChange> observe(double time, double value) override {
    std::vector<SurgeChange> changes;
    if (!std::isfinite(value)) throw UserError("surge", concat("expected a finite value, got ", value));
    if (options_.window == 0) {
      step(time, value, changes);
    } else {
      require_option(value >= 0, "a count", "at least 0", value);
      changes = advance(time);
      windows_.add(value);
    }
    return changes;
  }

  std::vector<SurgeChange> observe_between(double from, double to, double count) override {
    return options_.window == 0 ? observe(to, count) : observe_parts(*this, windows_, from, to, count);
  }

  std::vector<SurgeChange> advance(double time) override {
    std::vector<SurgeChange> changes;
    if (options_.window == 0) return changes;
    // As many silent windows as end any alarm: S falls by at least k for each while the mean is not below 0.
    const auto most = static_cast<int64_t>(std::ceil(options_.h / options_.k)) + options_.learn;
    windows_.advance(time, most, [&](double end, double count) { step(end, count, changes); });
    return changes;
  }

  void skip(double time) override { windows_.skip(time); }
  bool active() const override { return active_; }

  Json state() const override {
    return {{"method", "cusum"}, {"sum", sum_},         {"active", active_},      {"learned", learned_},
            {"mean", mean_},     {"squares", squares_}, {"deviation", deviation_}};
  }

  void restore(const Json& state) override {
    if (json_get<std::string>(state, "method", "surge") != "cusum") {
      throw UserError("surge", "expected the state of a CUSUM, got that of another method");
    }
    sum_ = json_get<double>(state, "sum", "surge");
    active_ = json_get<bool>(state, "active", "surge");
    learned_ = json_get<int64_t>(state, "learned", "surge");
    mean_ = json_get<double>(state, "mean", "surge");
    squares_ = json_get<double>(state, "squares", "surge");
    deviation_ = json_get<double>(state, "deviation", "surge");
  }

 private:
  /// Mean and sum of squares as Welford (1962) keeps them.
  void learn(double value) {
    ++learned_;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(learned_);
    squares_ += before * (value - mean_);
    if (learned_ >= options_.learn && squares_ > 0) {
      deviation_ = std::sqrt(squares_ / static_cast<double>(learned_ - 1));
    }
  }

  void step(double time, double value, std::vector<SurgeChange>& changes) {
    if (deviation_ == 0) return learn(value);
    sum_ = std::max(0.0, sum_ + (value - mean_) / deviation_ - options_.k);
    const bool was = active_;
    active_ = active_ ? sum_ > 0 : sum_ > options_.h;
    if (active_) sum_ = std::min(sum_, options_.h);
    if (active_ != was) changes.push_back({active_, time, value, mean_});
  }

  CusumOptions options_;
  CountWindows windows_;
  double sum_ = 0;
  bool active_ = false;
  int64_t learned_ = 0;
  double mean_ = 0, squares_ = 0, deviation_ = 0;  ///< deviation 0: still learning
};

class PoissonSurge : public SurgeDetector {
 public:
  explicit PoissonSurge(const PoissonSurgeOptions& options) : options_(options), windows_(options.window) {
    require_option(options.window > 0, "window", "above 0 seconds", options.window);
    require_option(options.alpha > 0 && options.alpha < 1, "alpha", "between 0 and 1", options.alpha);
    require_option(options.min_count >= 1, "min_count", "at least 1", options.min_count);
    require_option(options.baseline >= 1, "baseline", "at least 1 window", static_cast<double>(options.baseline));
  }

  std::vector<SurgeChange> observe(double time, double value) override {
    if (!std::isfinite(value) || value < 0) throw UserError("surge", concat("expected a count, got ", value));
    std::vector<SurgeChange> changes = advance(time);
    windows_.add(value);
    if (value > 0 && !active_ && surges(windows_.count())) begin(time, windows_.count(), changes);
    return changes;
  }

  std::vector<SurgeChange> observe_between(double from, double to, double count) override {
    return observe_parts(*this, windows_, from, to, count);
  }

  std::vector<SurgeChange> advance(double time) override {
    std::vector<SurgeChange> changes;
    windows_.advance(time, options_.baseline, [&](double end, double count) { close(end, count, changes); });
    return changes;
  }

  void skip(double time) override { windows_.skip(time); }
  bool active() const override { return active_; }

  Json state() const override {
    return {{"method", "poisson"}, {"active", active_}, {"baseline", learned_}, {"surging", surging_}};
  }

  void restore(const Json& state) override {
    if (json_get<std::string>(state, "method", "surge") != "poisson") {
      throw UserError("surge", "expected the state of a Poisson surge, got that of another method");
    }
    active_ = json_get<bool>(state, "active", "surge");
    const auto learned = json_get<std::vector<double>>(state, "baseline", "surge");
    const auto surging = json_get<std::vector<double>>(state, "surging", "surge");
    learned_.assign(learned.begin(), learned.end());
    surging_.assign(surging.begin(), surging.end());
    before_ = 0;
    for (const double count : learned_) before_ += count;
  }

 private:
  bool surges(double count) const {
    return !learned_.empty() && count >= options_.min_count &&
           surge_probability(count, before_, static_cast<double>(learned_.size())) < options_.alpha;
  }

  double expected() const { return before_ / static_cast<double>(learned_.size()); }

  void begin(double time, double count, std::vector<SurgeChange>& changes) {
    active_ = true;
    changes.push_back({true, time, count, expected()});
  }

  void end(double time, double count, std::vector<SurgeChange>& changes) {
    active_ = false;
    changes.push_back({false, time, count, expected()});
    surging_.clear();
  }

  void learn(double count) {
    learned_.push_back(count);
    before_ += count;
    if (static_cast<int64_t>(learned_.size()) > options_.baseline) {
      before_ -= learned_.front();
      learned_.pop_front();
    }
  }

  void close(double time, double count, std::vector<SurgeChange>& changes) {
    if (!surges(count)) {
      if (active_) end(time, count, changes);
      return learn(count);
    }
    surging_.push_back(count);
    if (static_cast<int64_t>(surging_.size()) < options_.baseline) return;
    const std::deque<double> level = surging_;
    end(time, count, changes);
    for (const double each : level) learn(each);
  }

  PoissonSurgeOptions options_;
  CountWindows windows_;
  std::deque<double> learned_, surging_;  ///< counts of windows: the baseline, and those of the alarm
  double before_ = 0;                     ///< sum of learned_
  bool active_ = false;
};

}  // namespace

double surge_probability(double count, double before, double windows) {
  return count <= 0 ? 1.0 : boost::math::ibeta(count, before + 1, 1 / (windows + 1));
}

std::unique_ptr<SurgeDetector> make_surge_detector(const SurgeOptions& options) {
  if (const auto* cusum = std::get_if<CusumOptions>(&options)) return std::make_unique<Cusum>(*cusum);
  return std::make_unique<PoissonSurge>(std::get<PoissonSurgeOptions>(options));
}

}  // namespace suanli::monitor
