#include "apps/sentiment_replay.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::apps {

namespace {

using ReplayClock = std::chrono::steady_clock;

struct ReplayLine {
  SentimentMessage message;
  std::string label = {};
};

double seconds_since(ReplayClock::time_point begin) {
  return std::chrono::duration<double>(ReplayClock::now() - begin).count();
}

ReplayLine parse_replay_line(const std::string& line, const std::string& place, bool with_label) {
  const Json json = parse_json(line, place);
  ReplayLine out{.message = {.time = json_get<double>(json, "time", place),
                             .text = json_get<std::string>(json, "text", place),
                             .id = json_get_or<std::string>(json, "id", "", place)}};
  if (!std::isfinite(out.message.time)) throw UserError(place, "expected `time` in seconds, got no finite number");
  if (!with_label) return out;
  const Json label = json.value("label", Json());
  if (label.is_null()) throw UserError(place, "expected a `label`, got none");
  out.label = label.is_string() ? label.get<std::string>() : label.dump();
  return out;
}

}  // namespace

ReplayResult replay_messages(std::istream& lines, const std::string& where, const ReplayOptions& options,
                             const NegativeScores& scores, SentimentWatch& watch,
                             const std::function<void(const std::vector<monitor::AlertEvent>&)>& on_events) {
  ReplayResult result;
  const auto begin = ReplayClock::now();
  std::optional<double> first_time;
  std::vector<ReplayLine> batch;
  const auto judge_batch = [&] {
    std::vector<std::string> texts;
    for (const ReplayLine& line : batch) texts.push_back(line.message.text);
    const auto scoring = ReplayClock::now();
    const std::vector<double> negative = options.labels || texts.empty() ? std::vector<double>() : scores(texts);
    result.scoring_seconds += seconds_since(scoring);
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].message.negative = options.labels ? (batch[i].label == options.negative_label ? 1 : 0) : negative[i];
      const auto taken = watch.add(std::move(batch[i].message));
      if (!taken.events.empty()) on_events(taken.events);
    }
    batch.clear();
  };
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    ReplayLine next = parse_replay_line(line, concat(where, ":", number), options.labels);
    ++result.lines;
    if (!first_time) first_time = next.message.time;
    if (options.speed > 0) {
      const double due = (next.message.time - *first_time) / options.speed;
      if (due > seconds_since(begin)) {
        judge_batch();
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, due - seconds_since(begin))));
      }
    }
    batch.push_back(std::move(next));
    if (batch.size() >= options.batch) judge_batch();
  }
  judge_batch();
  const auto events = watch.finish();
  if (!events.empty()) on_events(events);
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace suanli::apps
