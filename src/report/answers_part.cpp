#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/concat.h"
#include "data/cell.h"
#include "page/html.h"
#include "page/plot.h"
#include "report/report.h"
#include "train/metrics.h"
#include "train/probability_scores.h"

namespace suanli {
namespace {

constexpr size_t kCurves = 8;  // as many as there are colours
constexpr int kBins = 10;

/// A class against all others.
struct OneClass {
  std::string name;
  ProbabilityScores scores;
};

/// Rows with a probability that is not one in [0, 1] are left out; `left_out` counts them.
std::vector<OneClass> one_against_rest(const Answers& answers, const std::vector<std::vector<bool>>& truths,
                                       int64_t* left_out) {
  std::vector<OneClass> all;
  for (const std::string& name : answers.classes) all.push_back({name, {}});
  for (size_t row = 0; row < answers.rows.size(); ++row) {
    const auto& p = answers.rows[row].probabilities;
    const bool whole = std::all_of(p.begin(), p.end(), [](float x) { return x >= 0 && x <= 1; });
    *left_out += whole ? 0 : 1;
    for (size_t c = 0; whole && c < p.size(); ++c) all[c].scores.add(p[c], truths[row][c]);
  }
  if (all.size() == 2 && !answers.several) all.erase(all.begin());  // the other one says the same
  return all;
}

std::string ranking_part(const std::vector<OneClass>& classes) {
  page::Plot roc = {.title = "ROC",
                    .description = "",
                    .x = {.label = "false positive rate", .begin = 0, .end = 1},
                    .y = {.label = "true positive rate", .begin = 0, .end = 1},
                    .series = {{.name = "chance", .points = {{0, 0}, {1, 1}}, .reference = true}}};
  page::Plot precision = {.title = "Precision and recall",
                          .description = "",
                          .x = {.label = "recall", .begin = 0, .end = 1},
                          .y = {.label = "precision", .begin = 0, .end = 1},
                          .series = {}};
  std::vector<page::Cells> rows;
  for (const OneClass& one : classes) {
    const Scores scores = one.scores.scores();
    const double area = *find_score(scores, "roc_auc"), average = *find_score(scores, "pr_auc");
    rows.push_back({one.name, page::number(area), page::number(average), page::number(*find_score(scores, "brier"))});
    auto curve = one.scores.roc_curve();
    if (curve.empty() || roc.series.size() > kCurves) continue;
    roc.series.push_back({.name = one.name, .points = std::move(curve)});
    precision.series.push_back({.name = one.name, .points = one.scores.precision_recall_curve()});
    roc.description += concat(one.name, ": area ", page::number(area), ". ");
    precision.description += concat(one.name, ": average precision ", page::number(average), ". ");
  }
  std::string out;
  if (!precision.series.empty()) {
    out += concat("<div class=\"plots\">", page::figure(roc), page::figure(precision), "</div>\n");
  }
  if (classes.size() > kCurves) {
    out += concat("<p>Curves of the first ", precision.series.size(), " of ", classes.size(), " classes.</p>");
  }
  return out + page::table({"class", "ROC AUC", "average precision", "Brier score"}, rows);
}

/// Of two classes the second one's probability against its share; of more the confidence of each decision against the
/// share of right ones; of several labels each label's probability.
ProbabilityScores confidences(const Answers& answers, const std::vector<OneClass>& classes,
                              const std::vector<std::vector<bool>>& truths) {
  if (classes.size() == 1) return classes[0].scores;
  ProbabilityScores all;
  for (size_t row = 0; row < answers.rows.size(); ++row) {
    const auto& p = answers.rows[row].probabilities;
    if (p.empty() || !std::all_of(p.begin(), p.end(), [](float x) { return x >= 0 && x <= 1; })) continue;
    if (!answers.several) {
      const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      all.add(p[best], truths[row][best]);
    }
    for (size_t c = 0; answers.several && c < p.size(); ++c) all.add(p[c], truths[row][c]);
  }
  return all;
}

std::string calibration_part(const ProbabilityScores& scores, const std::string& what) {
  page::Plot calibration = {.title = "Calibration",
                            .description =
                                "How often what was given a probability came true. On the diagonal the "
                                "probabilities are what they say.",
                            .x = {.label = what, .begin = 0, .end = 1},
                            .y = {.label = "share that came true", .begin = 0, .end = 1},
                            .series = {{.name = "perfect", .points = {{0, 0}, {1, 1}}, .reference = true}}};
  page::Plot histogram = {.title = "Distribution of probabilities",
                          .description = concat("How many of ", scores.total(), " lie in each tenth."),
                          .x = {.label = what, .begin = 0, .end = 1},
                          .y = {.label = "count", .begin = 0},
                          .series = {}};
  page::Series line = {.name = "share", .points = {}};
  page::Series bars = {.name = "count", .points = {}, .mark = page::Mark::bars};
  const auto bins = scores.bins(kBins);
  for (size_t i = 0; i < bins.size(); ++i) {
    const auto n = static_cast<double>(bins[i].rows);
    bars.points.emplace_back((static_cast<double>(i) + 0.5) / kBins, n);
    if (bins[i].rows > 0) line.points.emplace_back(bins[i].probabilities / n, bins[i].positives / n);
  }
  calibration.series.push_back(std::move(line));
  histogram.series.push_back(std::move(bars));
  return concat("<div class=\"plots\">", page::figure(calibration), page::figure(histogram), "</div>\n");
}

std::string numbers_part(const Answers& answers) {
  page::Series dots = {.name = "row", .points = {}, .mark = page::Mark::dots};
  page::Series misses = dots;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Answer& row : answers.rows) {
    const auto truth = parse_number(row.label), prediction = parse_number(row.prediction);
    if (!truth || !prediction) continue;
    dots.points.emplace_back(*truth, *prediction);
    misses.points.emplace_back(*truth, *prediction - *truth);
    low = std::min(low, *truth);
    high = std::max(high, *truth);
  }
  if (dots.points.empty()) return "<p>No answer is a finite number.</p>";
  page::Plot scatter = {
      .title = "Predictions",
      .description = concat(dots.points.size(), " rows; on the dashed line the prediction is the truth."),
      .x = {.label = "truth"},
      .y = {.label = "prediction"},
      .series = {{.name = "equal", .points = {{low, low}, {high, high}}, .reference = true}, std::move(dots)}};
  page::Plot errors = {
      .title = "Errors",
      .description = "Prediction less truth over the truth.",
      .x = {.label = "truth"},
      .y = {.label = "prediction - truth"},
      .series = {{.name = "none", .points = {{low, 0}, {high, 0}}, .reference = true}, std::move(misses)}};
  return concat("<div class=\"plots\">", page::figure(scatter), page::figure(errors), "</div>\n");
}

}  // namespace

std::vector<std::vector<bool>> truths_of(const Answers& answers) {
  std::map<std::string, size_t> places;
  for (size_t c = 0; c < answers.classes.size(); ++c) places[answers.classes[c]] = c;
  std::vector<std::vector<bool>> truths;
  for (const Answer& row : answers.rows) {
    auto& truth = truths.emplace_back(answers.classes.size());
    for (size_t begin = 0; begin <= row.label.size();) {
      const size_t end = answers.several ? std::min(row.label.find('|', begin), row.label.size()) : row.label.size();
      if (const auto found = places.find(row.label.substr(begin, end - begin)); found != places.end()) {
        truth[found->second] = true;
      }
      begin = end + 1;
    }
  }
  return truths;
}

std::string answers_part(const std::string& set, const Answers& answers) {
  std::string out = concat("<h2>Answers: ", page::escaped(set), "</h2><p>", answers.rows.size(), " rows</p>\n");
  if (answers.rows.empty()) return out;
  if (answers.classes.empty()) return out + numbers_part(answers) + mistakes_part(answers);
  const auto truths = truths_of(answers);
  int64_t left_out = 0;
  const auto classes = one_against_rest(answers, truths, &left_out);
  if (left_out > 0) {
    out +=
        concat("<p class=\"alert\">", left_out, " rows have no probabilities: the model's outputs are not finite.</p>");
  }
  if (!answers.several) out += confusion_part(answers);
  out += ranking_part(classes);
  const std::string what = classes.size() == 1 ? concat("probability of ", shortened(classes[0].name, 30))
                           : answers.several   ? "probability of each label"
                                               : "probability of the prediction";
  return out + calibration_part(confidences(answers, classes, truths), what) + mistakes_part(answers);
}

}  // namespace suanli
