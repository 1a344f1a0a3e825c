#include "serve/model_watch.h"

#include <algorithm>

#include "infer/predictions.h"
#include "serve/embedding.h"

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

void ModelWatch::observe(const ServedModel& model, const Question& question, const Answers& answers) {
  if (!answers.passages.empty()) return;  // rows are windows of contexts
  const int32_t unknown = model.tokenizer().special_ids().unk.value_or(-1);
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const Input& input = question.inputs[i];
    const std::vector<float>& row = answers.rows[i];
    std::vector<monitor::Observed> seen;
    if (input.ids.empty()) {
      const int64_t characters =
          monitor::characters_of(input.text) + (input.pair ? monitor::characters_of(*input.pair) : 0);
      const auto& ids = answers.encodings[i].ids;
      const auto text =
          monitor::observed_text(characters, static_cast<int64_t>(ids.size()), std::ranges::count(ids, unknown));
      seen.assign(text.begin(), text.end());
    }
    std::vector<float> unit;
    if (model.kind() == ModelKind::embedding && question.output == infer::Output::embedding) {
      unit = embedding_of(row, row.size(), true);
      seen.push_back({monitor::kEmbedding, std::span<const float>(unit)});
    }
    if (model.kind() == ModelKind::classification) {
      const auto scores = infer::label_scores(model.config(), row);
      const auto best = static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
      const std::string& label = model.config().labels[best];
      if (row.size() == 1 && model.config().problem_type == "regression") {
        seen.push_back({monitor::kPrediction, scores[0]});
      } else {
        seen.push_back({monitor::kPrediction, std::string_view(label)});
        seen.push_back({monitor::kScore, scores[best]});
      }
      feedback_.answered(question.request_id, i, label);
    }
    if (drift_) drift_->observe(seen);
  }
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
