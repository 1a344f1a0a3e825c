#include "monitor/alert_replay.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli::monitor {
namespace {

constexpr uint64_t kReplayBytes = uint64_t{256} << 20;

/// Calls `use(object, place)` for each line that is not empty.
template <class Use>
void for_each_json_line(const std::filesystem::path& file, const Use& use) {
  const std::string text = read_file(file, kReplayBytes);
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const std::string place = concat(file, ':', ++number);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) use(parse_json(line, place), place);
    begin = end + 1;
  }
}

MetricSample sample_of(const Json& object, const std::string& place) {
  MetricSample sample;
  sample.name = json_get<std::string>(object, "name", place);
  if (!is_metric_name(sample.name)) throw UserError(place, concat("expected the name of a metric, got ", sample.name));
  if (const auto labels = object.find("labels"); labels != object.end()) {
    if (!labels->is_object()) throw UserError(place, "expected \"labels\" to be an object of strings");
    for (const auto& [name, value] : labels->items()) {
      sample.labels.emplace_back(name, json_get<std::string>(*labels, name, place));
    }
    std::ranges::sort(sample.labels);
  }
  const auto value = object.find("value");
  if (value == object.end() || !value->is_string()) {
    sample.value = json_get<double>(object, "value", place);
  } else if (!read_metric_value(value->get<std::string>(), &sample.value)) {
    throw UserError(place, "expected \"value\" to be a number, \"NaN\", \"+Inf\" or \"-Inf\"");
  }
  return sample;
}

std::vector<MetricSample> samples_of(const Json& line, const std::string& place) {
  if (line.contains("metrics")) {
    return parse_metrics_text(json_get<std::string>(line, "metrics", place), place + " metrics");
  }
  const auto list = line.find("samples");
  if (list == line.end() || !list->is_array())
    throw UserError(place, "expected \"metrics\" or \"samples\", got neither");
  std::vector<MetricSample> samples;
  for (const Json& sample : *list) samples.push_back(sample_of(sample, place));
  return samples;
}

bool same_json(const Json& got, const Json& expected) {
  if (got.is_number() && expected.is_number()) {
    const double a = got.get<double>(), b = expected.get<double>();
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
  }
  return got == expected;
}

}  // namespace

std::vector<AlertEvent> replay_alerts(std::vector<AlertRule> rules, const std::filesystem::path& file) {
  AlertEngine engine(std::move(rules));
  std::vector<AlertEvent> events;
  double last = -HUGE_VAL;
  for_each_json_line(file, [&](const Json& line, const std::string& place) {
    const double time = json_get<double>(line, "time", place);
    if (!(time > last)) throw UserError(place, concat("expected times that rise, got ", time, " behind ", last));
    last = time;
    for (AlertEvent& event : engine.observe(time, samples_of(line, place))) events.push_back(std::move(event));
  });
  return events;
}

std::vector<std::string> compare_events(const std::vector<AlertEvent>& events, const std::filesystem::path& expected) {
  std::vector<std::string> differences;
  size_t index = 0;
  for_each_json_line(expected, [&](const Json& line, const std::string& place) {
    if (!line.is_object()) throw UserError(place, "expected a JSON object, an event");
    if (index == events.size()) {
      differences.push_back(concat(place, ": expected ", line.dump(), ", got no more events"));
      return;
    }
    const Json event = to_json(events[index++]);
    for (const auto& [key, value] : line.items()) {
      const Json got = event.value(key, Json());
      if (!event.contains(key) || !same_json(got, value)) {
        differences.push_back(concat(place, ": expected ", key, ' ', value.dump(), ", got ", got.dump()));
      }
    }
  });
  for (; index < events.size(); ++index) {
    differences.push_back(concat("not expected: ", to_json(events[index]).dump()));
  }
  return differences;
}

}  // namespace suanli::monitor
