/// What a model's service sees beside its work: drift against the training data, and accuracy as labels come.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "monitor/drift_watch.h"
#include "monitor/feedback.h"
#include "monitor/service_metrics.h"

namespace suanli::serve {

/// A feature of an input that waits for its answer: what monitor::Observed is once it has come.
struct Feature {
  std::string name;
  std::variant<double, std::string> value;
};
using Features = std::vector<Feature>;

class ModelWatch {
 public:
  /// Reads the folder's baseline_profile.json where there is one. Throws UserError for one that is malformed.
  explicit ModelWatch(const std::filesystem::path& folder);

  /// Features of one input and its answer; without a baseline they are passed over.
  void observe(std::span<const monitor::Observed> seen) {
    if (drift_) drift_->observe(seen);
  }

  bool has_baseline() const { return drift_.has_value(); }
  /// Computed at most every 10 seconds. Empty without a baseline.
  std::vector<monitor::DriftScore> drift();
  monitor::Feedback& feedback() { return feedback_; }
  /// Sets suanli_drift_score, suanli_live_accuracy and suanli_feedback_labelled.
  void set_metrics(const std::string& model, monitor::ServiceMetrics& metrics);

 private:
  std::optional<monitor::DriftWatch> drift_;
  monitor::Feedback feedback_;
  std::mutex mutex_;
  std::vector<monitor::DriftScore> scores_;
  std::chrono::steady_clock::time_point computed_ = {};
};

}  // namespace suanli::serve
