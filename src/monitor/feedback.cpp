#include "monitor/feedback.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace suanli::monitor {

namespace {

std::string answer_key(const std::string& id, size_t index) { return id + '/' + std::to_string(index); }

}  // namespace

void Feedback::answered(const std::string& id, size_t index, const std::string& label) {
  const std::lock_guard lock(mutex_);
  const std::string key = answer_key(id, index);
  const auto [place, is_new] = answers_.insert_or_assign(key, Answer{.label = label});
  if (is_new) order_.push_back(key);
  if (order_.size() <= remembered_) return;
  answers_.erase(order_.front());
  order_.pop_front();
}

Feedback::Result Feedback::label(const std::string& id, size_t index, const std::string& truth) {
  const std::lock_guard lock(mutex_);
  const auto answer = answers_.find(answer_key(id, index));
  if (answer == answers_.end()) return Result::unknown_id;
  if (std::exchange(answer->second.labelled, true)) return Result::counted_before;
  ++counts_.labelled;
  if (answer->second.label == truth) ++counts_.correct;
  return Result::counted;
}

LiveAccuracy Feedback::accuracy() const {
  const std::lock_guard lock(mutex_);
  LiveAccuracy out = counts_;
  if (out.labelled == 0) return out;
  constexpr double kZ = 1.959963984540054;  // the normal distribution's 97.5%
  const auto n = static_cast<double>(out.labelled);
  const double p = static_cast<double>(out.correct) / n;
  const double middle = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ / (1 + kZ * kZ / n) * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  out.low = std::max(0.0, middle - half);
  out.high = std::min(1.0, middle + half);
  return out;
}

}  // namespace suanli::monitor
