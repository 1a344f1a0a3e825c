#include "apps/confidence.h"

#include <algorithm>
#include <cmath>

namespace suanli::apps {

namespace {

double share_of(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double Confidence::coverage() const { return share_of(answered_right + answered_wrong, in_scope); }

double Confidence::wrong_confident_rate() const {
  return share_of(answered_wrong + answered_out_of_scope, in_scope + out_of_scope);
}

double Confidence::error_of_answers() const {
  const int64_t wrong = answered_wrong + answered_out_of_scope;
  return share_of(wrong, wrong + answered_right);
}

Confidence confidence_at(std::span<const Judged> messages, double threshold) {
  Confidence out{.threshold = threshold};
  for (const Judged& one : messages) {
    ++(one.in_scope ? out.in_scope : out.out_of_scope);
    if (one.score < threshold) continue;
    ++(!one.in_scope ? out.answered_out_of_scope : one.right ? out.answered_right : out.answered_wrong);
  }
  return out;
}

double choose_threshold(std::span<const Judged> messages, double most_wrong) {
  std::vector<Judged> sorted(messages.begin(), messages.end());
  std::ranges::sort(sorted, std::greater{}, &Judged::score);
  // From the surest message down: every threshold that lets in one more wrong answer than allowed is too low.
  const auto allowed = static_cast<int64_t>(std::floor(most_wrong * static_cast<double>(sorted.size())));
  int64_t wrong = 0;
  double threshold = sorted.empty() ? 1 : std::nextafter(sorted.front().score, 2);
  for (size_t i = 0; i < sorted.size(); ++i) {
    wrong += sorted[i].right && sorted[i].in_scope ? 0 : 1;
    if (wrong > allowed) break;
    if (i + 1 == sorted.size() || sorted[i + 1].score < sorted[i].score) threshold = sorted[i].score;
  }
  return threshold;
}

}  // namespace suanli::apps
