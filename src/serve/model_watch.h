/// What a model's service sees beside its work: drift against the training data, and accuracy as labels come.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>

#include "monitor/drift_watch.h"
#include "monitor/feedback.h"
#include "monitor/service_metrics.h"
#include "serve/served_model.h"

namespace suanli::serve {

class ModelWatch {
 public:
  /// Reads the folder's baseline_profile.json where there is one. Throws UserError for one that is malformed.
  explicit ModelWatch(const std::filesystem::path& folder);

  /// The inputs and answers of one request.
  void observe(const ServedModel& model, const Question& question, const Answers& answers);

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
