#include "train/detection_scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "base/concat.h"

namespace suanli {
namespace {

constexpr size_t kThresholds = 10;  // IoU 0.50, 0.55, ..., 0.95
constexpr int kRecalls = 101;       // 0, 0.01, ..., 1
constexpr size_t kMost = 100;

double threshold(size_t t) { return std::min(0.5 + 0.05 * static_cast<double>(t), 1 - 1e-10); }

double area(const Box& box) { return box.width() * box.height(); }

double shared_area(const Box& a, const Box& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

}  // namespace

double box_iou(const Box& a, const Box& b) {
  const double shared = shared_area(a, b);
  return shared / (area(a) + area(b) - shared);
}

void DetectionScores::add(std::span<const ImageObject> truth, std::span<const DetectedObject> found) {
  for (auto& pictures : truth_) pictures.emplace_back();
  for (auto& pictures : found_) pictures.emplace_back();
  for (const ImageObject& object : truth) {
    truth_[static_cast<size_t>(object.label)].back().push_back({object.box, object.ignored});
  }
  for (const DetectedObject& object : found) {
    found_[static_cast<size_t>(object.label)].back().push_back({object.box, object.score});
  }
  for (auto& pictures : found_) {
    std::vector<Found>& boxes = pictures.back();
    std::ranges::stable_sort(boxes, std::greater(), &Found::score);
    if (boxes.size() > kMost) boxes.resize(kMost);
  }
}

struct DetectionScores::AreaRange {
  double least = 0, most = HUGE_VAL;
  bool has(const Box& box) const { return area(box) >= least && area(box) <= most; }
};

/// Of one class: average precision and recall at each IoU; NaN where the class does not occur.
struct DetectionScores::Curves {
  std::array<double, kThresholds> precision, recall;
};

namespace {

/// What became of one answer at one IoU.
struct Judged {
  float score = 0;
  bool right = false, ignored = false;
};

/// Average precision over 101 recalls, each with the best precision at that recall or a higher one; and the last
/// recall.
std::pair<double, double> precision_and_recall(std::vector<Judged> answers, int64_t objects) {
  std::ranges::stable_sort(answers, std::greater(), &Judged::score);
  std::vector<double> precision, recall;
  double right = 0, wrong = 0;
  for (const Judged& answer : answers) {
    if (!answer.ignored) (answer.right ? right : wrong) += 1;
    recall.push_back(right / static_cast<double>(objects));
    precision.push_back(right / std::max(right + wrong, 1e-16));
  }
  for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (int i = 0; i < kRecalls; ++i) {
    const auto at = std::ranges::lower_bound(recall, 0.01 * i) - recall.begin();
    if (at < std::ssize(precision)) sum += precision[static_cast<size_t>(at)];
  }
  return {sum / kRecalls, recall.empty() ? 0 : recall.back()};
}

}  // namespace

DetectionScores::Curves DetectionScores::curves(size_t label, const AreaRange& range, size_t most) const {
  std::array<std::vector<Judged>, kThresholds> answers;
  int64_t objects = 0;
  for (size_t picture = 0; picture < truth_[label].size(); ++picture) {
    std::vector<Truth> truth = truth_[label][picture];
    for (Truth& object : truth) object.ignored = object.ignored || !range.has(object.box);
    // A crowd takes any number of answers; an object that is merely of another size takes one.
    std::vector<bool> crowd;
    std::vector<size_t> order(truth.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t g) { return truth[g].ignored; });
    for (const Truth& object : truth_[label][picture]) crowd.push_back(object.ignored);
    objects += std::ranges::count(truth, false, &Truth::ignored);

    const std::span<const Found> found =
        std::span(found_[label][picture]).first(std::min(most, found_[label][picture].size()));
    for (size_t t = 0; t < kThresholds; ++t) {
      std::vector<bool> taken(truth.size());
      for (const Found& each : found) {
        double best = threshold(t);
        size_t match = truth.size();
        for (const size_t g : order) {
          if (taken[g] && !crowd[g]) continue;
          if (match < truth.size() && !truth[match].ignored && truth[g].ignored) break;
          const double iou =
              crowd[g] ? shared_area(each.box, truth[g].box) / area(each.box) : box_iou(each.box, truth[g].box);
          if (iou < best) continue;
          best = iou;
          match = g;
        }
        const bool right = match < truth.size();
        if (right) taken[match] = true;
        answers[t].push_back({each.score, right, right ? truth[match].ignored : !range.has(each.box)});
      }
    }
  }
  Curves curves;
  for (size_t t = 0; t < kThresholds; ++t) {
    const auto [precision, recall] = precision_and_recall(std::move(answers[t]), objects);
    curves.precision[t] = objects > 0 ? precision : NAN;
    curves.recall[t] = objects > 0 ? recall : NAN;
  }
  return curves;
}

Scores DetectionScores::scores() const {
  constexpr double kSmall = 32.0 * 32, kLarge = 96.0 * 96;
  struct Size {
    const char* name;
    AreaRange range;
  };
  const Size sizes[] = {{"small", {0, kSmall}}, {"medium", {kSmall, kLarge}}, {"large", {kLarge, HUGE_VAL}}};
  // Of the mean over all classes: precision at one IoU or at all, recall at all.
  const auto over_classes = [&](const AreaRange& range, size_t most, bool recall, int only) {
    std::vector<double> values;
    for (size_t label = 0; label < truth_.size(); ++label) {
      const Curves all = curves(label, range, most);
      const auto& by_threshold = recall ? all.recall : all.precision;
      if (only >= 0) {
        values.push_back(by_threshold[static_cast<size_t>(only)]);
      } else {
        values.insert(values.end(), by_threshold.begin(), by_threshold.end());
      }
    }
    return mean_of_defined(values);
  };
  Scores scores = {{"map", over_classes({}, kMost, false, -1)},
                   {"map_50", over_classes({}, kMost, false, 0)},
                   {"map_75", over_classes({}, kMost, false, 5)}};
  for (const Size& size : sizes) {
    scores.emplace_back(concat("map_", size.name), over_classes(size.range, kMost, false, -1));
  }
  for (const size_t most : {size_t{1}, size_t{10}, kMost}) {
    scores.emplace_back(concat("mar_", most), over_classes({}, most, true, -1));
  }
  for (const Size& size : sizes) {
    scores.emplace_back(concat("mar_", size.name), over_classes(size.range, kMost, true, -1));
  }
  return scores;
}

}  // namespace suanli
