/// How often a system that may stay silent is wrong where it speaks, and the threshold that keeps that rare.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace suanli::apps {

/// One message: how sure the system was of its first choice, and whether that was right. Of a message that nothing
/// fits (out of scope) no choice is.
struct Judged {
  double score = 0;
  bool right = false;
  bool in_scope = true;
};

/// What comes of answering where score >= threshold.
struct Confidence {
  double threshold = 0;
  int64_t in_scope = 0, out_of_scope = 0;  ///< messages
  int64_t answered_right = 0, answered_wrong = 0, answered_out_of_scope = 0;

  double coverage() const;              ///< share of messages in scope that are answered
  double wrong_confident_rate() const;  ///< share of all messages that are answered, and wrongly
  double error_of_answers() const;      ///< share of the answers that are wrong
};

Confidence confidence_at(std::span<const Judged> messages, double threshold);

/// The least threshold among the scores at which wrong_confident_rate() is at most `most_wrong`; just above the highest
/// score where none is.
double choose_threshold(std::span<const Judged> messages, double most_wrong);

}  // namespace suanli::apps
