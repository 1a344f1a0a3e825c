#include "serve/model_watch.h"

namespace suanli::serve {

namespace {

constexpr auto kScoresAge = std::chrono::seconds(10);

monitor::BaselineProfile read_baseline(const std::filesystem::path& folder) {
  return monitor::BaselineProfile::load(folder / monitor::kBaselineProfile);
}

}  // namespace

ModelWatch::ModelWatch(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / monitor::kBaselineProfile)) drift_.emplace(read_baseline(folder));
}

std::vector<monitor::DriftScore> ModelWatch::drift() {
  if (!drift_) return {};
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (computed_ == std::chrono::steady_clock::time_point() || now - computed_ >= kScoresAge) {
    scores_ = drift_->scores();
    computed_ = now;
  }
  return scores_;
}

void ModelWatch::set_metrics(const std::string& model, monitor::ServiceMetrics& metrics) {
  for (const monitor::DriftScore& score : drift()) {
    metrics.set("suanli_drift_score",
                "Statistic of a test against the training data; docs/monitoring.md has thresholds",
                {{"model", model}, {"feature", score.feature}, {"test", score.test}}, score.statistic);
    metrics.set("suanli_drift_detected", "1 where the test says drift: its statistic and its p-value",
                {{"model", model}, {"feature", score.feature}, {"test", score.test}}, score.drifted ? 1 : 0);
  }
  const monitor::LiveAccuracy accuracy = feedback_.accuracy();
  if (accuracy.labelled == 0) return;
  const auto set = [&](const char* bound, double value) {
    metrics.set("suanli_live_accuracy", "Share of labelled answers that were right, and its interval of 95%",
                {{"model", model}, {"bound", bound}}, value);
  };
  set("estimate", static_cast<double>(accuracy.correct) / static_cast<double>(accuracy.labelled));
  set("low", accuracy.low);
  set("high", accuracy.high);
  metrics.set("suanli_feedback_labelled", "Answers whose label has come", {{"model", model}},
              static_cast<double>(accuracy.labelled));
}

}  // namespace suanli::serve
