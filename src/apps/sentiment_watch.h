/// A stream of messages with how negative each is: windows per topic, and an alert when the negative ones surge.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/topics.h"
#include "monitor/alert_event.h"
#include "monitor/surge.h"

namespace suanli::apps {

struct SentimentOptions {
  double window = 600;              ///< seconds
  double alpha = 1e-3;              ///< of monitor::PoissonSurgeOptions
  double min_count = 5;             ///< negative messages of a window
  int64_t baseline = 36;            ///< windows that the expectation comes from
  double negative_threshold = 0.5;  ///< least score of a negative message
  double least_share = 0.3;         ///< of the window's messages that are negative; else it is no alert
  double lateness = 10;             ///< seconds that a message may come behind a newer one
  // Bounds of memory.
  size_t topics = 1000;            ///< one more: the one that has been quiet longest is forgotten
  size_t messages_per_topic = 50;  ///< negative ones of the window; of more the newest
  size_t text_bytes = 300;         ///< kept of a message
  size_t waiting = 10'000;         ///< messages that wait for their turn
  size_t alerts = 200;             ///< kept for alerts()
  PhraseOptions phrases = {};
};

struct SentimentMessage {
  double time = 0;  ///< seconds since 1970
  std::string text;
  double negative = 0;  ///< score in 0..1
  std::string id = {};  ///< the caller's; may be empty
};

struct SentimentCounts {
  int64_t messages = 0, negative = 0, without_topic = 0;
  int64_t late = 0;  ///< came too late to be counted
  int64_t forgotten_topics = 0;
};

/// Messages are judged in the order of their times, not of their coming: each waits until one that is `lateness` newer
/// has come; one that comes later still is counted as late and not judged. Windows follow one another from the first
/// message on, the same for all topics. A topic that first comes up later has been silent until then, which is its
/// baseline. Any function from any thread; the same messages in the same order give the same events.
class SentimentWatch {
 public:
  /// Throws UserError for options out of range.
  explicit SentimentWatch(const SentimentOptions& options);
  ~SentimentWatch();

  struct Taken {
    bool late = false;
    std::vector<monitor::AlertEvent> events = {};  ///< that came about by it, or by those that waited for it
  };
  /// Throws UserError for a time that is not finite.
  Taken add(SentimentMessage message);
  /// `seconds` have passed since the newest message came: windows that are over are judged.
  std::vector<monitor::AlertEvent> pass(double seconds);
  /// The stream has ended: judges all that waits.
  std::vector<monitor::AlertEvent> finish();

  /// [{"topic", "messages", "negative", "firing", "last"}] of the window that is open, most negative first.
  Json topics(size_t most) const;
  /// The last events, newest first, each with the messages behind it.
  Json alerts(size_t most) const;
  SentimentCounts counts() const;
  size_t topic_count() const;

 private:
  struct Topic;
  using Events = std::vector<monitor::AlertEvent>;
  void judge_due(double until, Events* events);
  void judge(const SentimentMessage& message, Events* events);
  void observe(Topic& topic, const SentimentMessage& message, Events* events);
  void move_on(Topic& topic, double time, Events* events);
  void move_clock(double time, Events* events);
  void take_changes(Topic& topic, const std::vector<monitor::SurgeChange>& changes, Events* events);
  Topic& topic_of(const std::string& name, double time);
  void forget_one();
  void tell(Topic& topic, bool firing, double time, double value, double expected, Events* events);
  int64_t window_of(double time) const;

  SentimentOptions options_;
  mutable std::mutex mutex_;
  std::multimap<double, SentimentMessage> waiting_;  ///< by time; of equal times as they came
  std::optional<double> newest_, origin_;            ///< time of the newest message; of the first that was judged
  double clock_ = 0;                                 ///< all before it has been judged
  double silent_since_ = 0;                          ///< no forgotten topic has come up since
  KeyPhrases phrases_;
  std::list<Topic> order_;  ///< the one seen last in front
  std::unordered_map<std::string, std::list<Topic>::iterator> by_name_;
  std::map<std::string, Topic*> firing_;
  std::deque<Json> alerts_;
  SentimentCounts counts_;
};

}  // namespace suanli::apps
