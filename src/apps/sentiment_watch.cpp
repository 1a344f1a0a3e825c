#include "apps/sentiment_watch.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/utf8.h"

namespace suanli::apps {

namespace {

/// The first bytes of a text that are whole characters.
std::string cut_text(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  return text.substr(0, std::min(most, find_invalid_utf8(text.substr(0, most))));
}

void require_positive(const char* name, double value) {
  if (!(value > 0)) throw UserError(name, concat("expected a number above 0, got ", value));
}

double rounded(double value) { return std::round(value * 100) / 100; }

}  // namespace

struct SentimentWatch::Topic {
  std::string name;
  std::unique_ptr<monitor::SurgeDetector> detector;
  int64_t window = 0;  ///< that the counts are of
  int64_t messages = 0, negative = 0;
  double last = 0;
  std::deque<SentimentMessage> kept = {};  ///< negative ones of the window
  bool firing = false;
  double since = 0, expected = 0;
  double least = 0;  ///< count that a window surges with, while the detector is active
};

SentimentWatch::SentimentWatch(const SentimentOptions& options) : options_(options), phrases_(options.phrases) {
  require_positive("window", options_.window);
  require_positive("topics", static_cast<double>(options_.topics));
  for (const auto& [name, value] : {std::pair{"lateness", options_.lateness}, {"least_share", options_.least_share}}) {
    if (!(value >= 0)) throw UserError(name, concat("expected a number of at least 0, got ", value));
  }
  monitor::make_surge_detector(
      monitor::PoissonSurgeOptions{options_.window, options_.alpha, options_.min_count, options_.baseline});
}

SentimentWatch::~SentimentWatch() = default;

int64_t SentimentWatch::window_of(double time) const {
  return static_cast<int64_t>(std::floor((time - *origin_) / options_.window));
}

SentimentWatch::Taken SentimentWatch::add(SentimentMessage message) {
  if (!std::isfinite(message.time)) throw UserError("time", "expected seconds since 1970, got no finite number");
  const std::lock_guard lock(mutex_);
  if (newest_ && (message.time < *newest_ - options_.lateness || (origin_ && message.time < clock_))) {
    ++counts_.late;
    return {.late = true};
  }
  Taken taken;
  newest_ = std::max(newest_.value_or(message.time), message.time);
  message.text = cut_text(message.text, 4 * options_.text_bytes);
  waiting_.emplace(message.time, std::move(message));
  judge_due(*newest_ - options_.lateness, &taken.events);
  while (waiting_.size() > options_.waiting) judge_due(waiting_.begin()->first, &taken.events);
  return taken;
}

std::vector<monitor::AlertEvent> SentimentWatch::pass(double seconds) {
  const std::lock_guard lock(mutex_);
  Events events;
  if (newest_) judge_due(*newest_ + seconds - options_.lateness, &events);
  return events;
}

std::vector<monitor::AlertEvent> SentimentWatch::finish() {
  const std::lock_guard lock(mutex_);
  Events events;
  if (newest_) judge_due(*newest_, &events);
  return events;
}

void SentimentWatch::judge_due(double until, Events* events) {
  while (!waiting_.empty() && waiting_.begin()->first <= until) {
    const SentimentMessage message = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    judge(message, events);
  }
  if (origin_ && until > clock_) move_clock(until, events);
}

/// Alerts of topics that have become silent end when their windows do.
void SentimentWatch::move_clock(double time, Events* events) {
  const bool new_window = window_of(time) != window_of(clock_);
  clock_ = time;
  if (!new_window) return;
  const auto firing = firing_;  // an alert that ends leaves the map
  for (const auto& [name, topic] : firing) move_on(*topic, time, events);
}

void SentimentWatch::judge(const SentimentMessage& message, Events* events) {
  if (!origin_) origin_ = clock_ = silent_since_ = message.time;
  move_clock(message.time, events);
  ++counts_.messages;
  counts_.negative += message.negative >= options_.negative_threshold ? 1 : 0;
  std::vector<std::string> names = cashtags(message.text);
  if (names.empty()) {
    if (std::string phrase = phrases_.topic(message.text); !phrase.empty()) names.push_back(std::move(phrase));
  }
  if (names.empty()) ++counts_.without_topic;
  for (const std::string& name : names) observe(topic_of(name, message.time), message, events);
}

SentimentWatch::Topic& SentimentWatch::topic_of(const std::string& name, double time) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return order_.front();
  }
  if (order_.size() >= options_.topics) forget_one();
  order_.push_front({.name = name,
                     .detector = monitor::make_surge_detector(monitor::PoissonSurgeOptions{
                         options_.window, options_.alpha, options_.min_count, options_.baseline})});
  by_name_[name] = order_.begin();
  // Silent windows that are known to have been silent; with none the first window is learned and not judged.
  const auto known = static_cast<int64_t>(std::ceil((silent_since_ - *origin_) / options_.window));
  const int64_t now = window_of(time), first = std::max(std::min(known, now), now - options_.baseline);
  order_.front().detector->skip(*origin_ + static_cast<double>(first) * options_.window);
  order_.front().window = now;
  return order_.front();
}

void SentimentWatch::forget_one() {
  auto quiet = std::prev(order_.end());
  while (quiet->firing && quiet != order_.begin()) --quiet;
  if (quiet->firing) quiet = std::prev(order_.end());
  silent_since_ = std::max(silent_since_, quiet->last);
  firing_.erase(quiet->name);
  by_name_.erase(quiet->name);
  order_.erase(quiet);
  ++counts_.forgotten_topics;
}

/// Windows of the topic that have ended by `time` are judged, and its counts begin anew.
void SentimentWatch::move_on(Topic& topic, double time, Events* events) {
  take_changes(topic, topic.detector->advance(time), events);
  if (window_of(time) == topic.window) return;
  topic.window = window_of(time);
  topic.messages = topic.negative = 0;
  topic.kept.clear();
}

void SentimentWatch::observe(Topic& topic, const SentimentMessage& message, Events* events) {
  move_on(topic, message.time, events);
  topic.last = message.time;
  ++topic.messages;
  if (message.negative < options_.negative_threshold) return;
  ++topic.negative;
  topic.kept.push_back(message);
  topic.kept.back().text = cut_text(message.text, options_.text_bytes);
  if (topic.kept.size() > options_.messages_per_topic) topic.kept.pop_front();
  take_changes(topic, topic.detector->observe(message.time, 1), events);
  const double share = static_cast<double>(topic.negative) / static_cast<double>(topic.messages);
  // A window after one that surged without an alert (few of its messages were negative) must surge itself.
  const bool surges = topic.detector->active() && static_cast<double>(topic.negative) >= topic.least;
  if (topic.firing || !surges || share < options_.least_share) return;
  topic.firing = true;
  topic.since = message.time;
  firing_[topic.name] = &topic;
  tell(topic, true, message.time, static_cast<double>(topic.negative), topic.expected, events);
}

void SentimentWatch::take_changes(Topic& topic, const std::vector<monitor::SurgeChange>& changes, Events* events) {
  for (const monitor::SurgeChange& change : changes) {
    if (change.began) {
      topic.expected = change.expected;
      topic.least = change.value;  // it counts one by one: this is the first count that chance does not explain
    } else if (topic.firing) {
      topic.firing = false;
      firing_.erase(topic.name);
      tell(topic, false, change.time, change.value, change.expected, events);
    }
  }
}

void SentimentWatch::tell(Topic& topic, bool firing, double time, double value, double expected, Events* events) {
  Json messages = Json::array();
  if (firing) {
    for (const SentimentMessage& one : topic.kept) {
      messages.push_back({{"time", one.time}, {"text", one.text}, {"negative", one.negative}});
      if (!one.id.empty()) messages.back()["id"] = one.id;
    }
  }
  monitor::AlertEvent event;
  event.firing = firing;
  event.rule = "negative messages surge";
  event.severity = "warning";
  event.labels = {{"topic", topic.name}};
  event.value = value;
  event.since = topic.since;
  event.time = time;
  event.message = concat(static_cast<int64_t>(value), " negative messages about ", topic.name, " within ",
                         options_.window, " s, ", rounded(expected), " expected");
  if (firing) event.annotations["messages"] = messages.dump();
  Json told = monitor::to_json(event);
  told.erase("annotations");
  told["messages"] = std::move(messages);
  alerts_.push_front(std::move(told));
  if (alerts_.size() > options_.alerts) alerts_.pop_back();
  events->push_back(std::move(event));
}

Json SentimentWatch::topics(size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<const Topic*> sorted;
  for (const Topic& topic : order_) sorted.push_back(&topic);
  const auto open = [this](const Topic& topic, int64_t count) {
    return topic.window == window_of(clock_) ? count : int64_t{0};
  };
  std::ranges::stable_sort(sorted, std::greater{}, [&](const Topic* topic) {
    return std::tuple(topic->firing, open(*topic, topic->negative), open(*topic, topic->messages), topic->last);
  });
  Json out = Json::array();
  for (const Topic* topic : sorted) {
    if (out.size() == most) break;
    out.push_back({{"topic", topic->name},
                   {"messages", open(*topic, topic->messages)},
                   {"negative", open(*topic, topic->negative)},
                   {"firing", topic->firing},
                   {"last", topic->last}});
  }
  return out;
}

Json SentimentWatch::alerts(size_t most) const {
  const std::lock_guard lock(mutex_);
  Json out = Json::array();
  for (const Json& alert : alerts_) {
    if (out.size() == most) break;
    out.push_back(alert);
  }
  return out;
}

SentimentCounts SentimentWatch::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

size_t SentimentWatch::topic_count() const {
  const std::lock_guard lock(mutex_);
  return order_.size();
}

}  // namespace suanli::apps
