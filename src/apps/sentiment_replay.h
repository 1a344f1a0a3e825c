/// A recorded stream through the sentiment watch: JSON lines in, events out, as fast as it goes or at a chosen speed.
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "apps/sentiment_watch.h"

namespace suanli::apps {

/// Scores in 0..1 of how negative texts are, one a text.
using NegativeScores = std::function<std::vector<double>(const std::vector<std::string>&)>;

struct ReplayOptions {
  double speed = 0;     ///< seconds of the stream in one of ours; 0: as fast as it goes
  size_t batch = 256;   ///< lines that are scored together; with a speed fewer, where the next is not due yet
  bool labels = false;  ///< take the field `label` for what a perfect model would say, and ask none
  std::string negative_label = {};
};

struct ReplayResult {
  int64_t lines = 0;
  double seconds = 0, scoring_seconds = 0;
};

/// Lines {"time": seconds, "text": string, "id"?: string, "label"?: string or number}; empty ones are passed over.
/// Calls `on_events` as events come. Throws UserError with the line for one that cannot be read.
ReplayResult replay_messages(std::istream& lines, const std::string& where, const ReplayOptions& options,
                             const NegativeScores& scores, SentimentWatch& watch,
                             const std::function<void(const std::vector<monitor::AlertEvent>&)>& on_events);

}  // namespace suanli::apps
