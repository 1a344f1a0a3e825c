/// Accuracy in service: answers as they were given, and the labels that come later.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace suanli::monitor {

struct LiveAccuracy {
  int64_t labelled = 0, correct = 0;
  /// Wilson's interval of 95% (Wilson 1927) of correct / labelled; 0 to 1 without labels.
  double low = 0, high = 1;
};

/// Remembers the last answers by the id of their request. Every function may be called from any thread.
class Feedback {
 public:
  enum class Result { counted, unknown_id, counted_before };

  explicit Feedback(size_t remembered = 100'000) : remembered_(remembered) {}
  /// Answer `index` of a request.
  void answered(const std::string& id, size_t index, const std::string& label);
  /// The truth about it. Each answer counts once.
  Result label(const std::string& id, size_t index, const std::string& truth);
  LiveAccuracy accuracy() const;

 private:
  struct Answer {
    std::string label;
    bool labelled = false;
  };
  size_t remembered_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Answer> answers_;
  std::deque<std::string> order_;
  LiveAccuracy counts_;
};

}  // namespace suanli::monitor
