#include "monitor/alert_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/concat.h"

namespace suanli::monitor {
namespace {

constexpr double kStale = 300, kForget = 3600;  // seconds without a sample
constexpr size_t kMostSeries = 20'000;

std::string alert_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// What a rule watches, as messages say it.
std::string subject(const AlertRule& rule, const Labels& labels) {
  const std::string series = rule.metric + label_text(labels);
  if (rule.quantile) return concat(*rule.quantile, " quantile of ", series, " over ", duration_text(rule.rate));
  return rule.rate > 0 ? concat("rate of ", series, " per second over ", duration_text(rule.rate)) : series;
}

}  // namespace

WatchedRule::WatchedRule(AlertRule rule) : rule_(std::move(rule)) {
  sample_name_ = rule_.quantile ? rule_.metric + "_bucket" : rule_.metric;
  if (rule_.surge) {
    const auto* poisson = std::get_if<PoissonSurgeOptions>(&*rule_.surge);
    count_window_ = poisson != nullptr ? poisson->window : std::get<CusumOptions>(*rule_.surge).window;
  }
  of_counters_ = rule_.rate > 0 || count_window_ > 0;
}

bool WatchedRule::selects(const MetricSample& sample) const {
  return sample.name == sample_name_ && std::ranges::all_of(rule_.labels, [&](const auto& wanted) {
           return wanted.second.matches(label_value(sample.labels, wanted.first));
         });
}

Labels WatchedRule::group_labels(const Labels& labels) const {
  Labels kept;
  for (const auto& label : labels) {
    const bool keeps =
        rule_.by ? std::ranges::binary_search(*rule_.by, label.first) : !(rule_.quantile && label.first == "le");
    if (keeps) kept.push_back(label);
  }
  return kept;
}

/// The history of a series with this sample in it; null beyond the bound.
CounterHistory* WatchedRule::history_of(const MetricSample& sample, double time, std::optional<double> before) {
  const std::string key = label_text(sample.labels);
  auto at = series_.find(key);
  if (at == series_.end()) {
    if (series_.size() == kMostSeries) return nullptr;
    // A series that was not there at the observation before has begun since then, at 0.
    at = series_.emplace(key, before ? CounterHistory(*before, 0) : CounterHistory(time, sample.value)).first;
  }
  at->second.observe(time, sample.value, rule_.rate);
  return &at->second;
}

std::map<Labels, WatchedRule::Group> WatchedRule::collect(double time, std::optional<double> before,
                                                          const std::vector<MetricSample>& samples) {
  std::map<Labels, Group> groups;
  for (const MetricSample& sample : samples) {
    if (!selects(sample)) continue;
    double value = sample.value, interval = 0;
    bool known = true;
    if (of_counters_) {
      const CounterHistory* history = history_of(sample, time, before);
      if (history == nullptr) {
        ++ignored_;
        continue;
      }
      interval = history->last_interval();
      known = interval > 0;  // two points
      value = count_window_ > 0 ? history->last_increase() : history->rate();
    }
    Group& group = groups[group_labels(sample.labels)];
    if (!known) continue;
    group.known = true;
    group.interval = std::max(group.interval, interval);
    double bound = 0;
    if (!rule_.quantile) {
      group.value += value;
    } else if (read_metric_value(label_value(sample.labels, "le"), &bound) && !std::isnan(bound)) {
      group.buckets[bound] += value;
    }
  }
  if (!rule_.quantile) return groups;
  for (auto& [labels, group] : groups) group.value = histogram_quantile(*rule_.quantile, group.buckets);
  return groups;
}

WatchedRule::Verdict WatchedRule::compare(const Group& group, Alert& alert) const {
  alert.value = group.value;
  const bool holds = rule_.above ? group.value > *rule_.above : group.value < *rule_.below;
  return {holds, concat("is ", alert_number(group.value), holds ? ", " : ", not ",
                        rule_.above ? concat("above ", *rule_.above) : concat("below ", *rule_.below))};
}

WatchedRule::Verdict WatchedRule::detect(const Group& group, double time, Alert& alert) const {
  const double from = time - group.interval;
  if (!alert.detector) {
    alert.detector = make_surge_detector(*rule_.surge);
    alert.detector->advance(from);
  }
  std::vector<SurgeChange> changes;
  if (count_window_ > 0) {
    changes = alert.detector->observe_between(from, time, group.value);
    for (const SurgeChange& change : alert.detector->advance(time)) changes.push_back(change);
  } else if (std::isfinite(group.value)) {
    changes = alert.detector->observe(time, group.value);
  }
  if (!changes.empty()) {
    alert.value = changes.back().value;
    alert.expected = changes.back().expected;
  }
  const bool holds = alert.detector->active();
  std::string text = concat(holds ? "surges: " : "surges no more: ", alert_number(alert.value));
  if (count_window_ > 0) text += concat(" in ", duration_text(count_window_));
  return {holds, concat(text, ", expected ", alert_number(alert.expected))};
}

void WatchedRule::judge(const Labels& labels, const Group& group, double time, std::vector<AlertEvent>& events) {
  if (alerts_.size() >= kMostSeries && !alerts_.contains(labels)) {
    ++ignored_;
    return;
  }
  Alert& alert = alerts_[labels];
  alert.seen = time;
  if (!group.known) return;
  const Verdict verdict = rule_.surge ? detect(group, time, alert) : compare(group, alert);
  if (verdict.holds) {
    alert.false_since.reset();
    if (!alert.since) alert.since = time;
    const bool begins = !alert.firing && time - *alert.since >= rule_.for_seconds;
    const bool repeats = alert.firing && rule_.repeat_seconds > 0 && time - alert.sent >= rule_.repeat_seconds;
    if (!begins && !repeats) return;
    alert.firing = true;
    alert.sent = time;
    events.push_back(event(labels, alert, time, verdict.text));
    events.back().repeated = repeats;
  } else if (!alert.firing) {
    alert.since.reset();
  } else {
    if (!alert.false_since) alert.false_since = time;
    if (time - *alert.false_since < rule_.keep_firing_seconds) return;
    alert.firing = false;
    events.push_back(event(labels, alert, time, verdict.text));
    alert.since.reset();
  }
}

void WatchedRule::forget(double time, std::vector<AlertEvent>& events) {
  std::erase_if(series_, [&](const auto& entry) { return time - entry.second.last_time() >= kForget; });
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    auto& [labels, alert] = *at;
    const double silence = time - alert.seen;
    if (silence >= kStale) {
      if (alert.firing) {
        alert.firing = false;
        events.push_back(event(labels, alert, time, concat("has had no samples for ", duration_text(silence))));
      }
      alert.since.reset();
    }
    const bool idle = !alert.since && (!alert.detector || silence >= kForget);
    at = idle ? alerts_.erase(at) : std::next(at);
  }
}

AlertEvent WatchedRule::event(const Labels& labels, const Alert& alert, double time, const std::string& text) const {
  AlertEvent event{.firing = alert.firing,
                   .repeated = false,
                   .rule = rule_.name,
                   .severity = rule_.severity,
                   .labels = labels,
                   .value = alert.value,
                   .since = alert.since.value_or(time),
                   .time = time,
                   .message = concat(rule_.name, ": ", subject(rule_, labels), ' ', text),
                   .annotations = {},
                   .deliver = rule_.deliver};
  for (const auto& [name, annotation] : rule_.annotations) {
    event.annotations[name] = expand_annotation(annotation, alert_number(alert.value), labels, "annotations");
  }
  return event;
}

void WatchedRule::observe(double time, std::optional<double> before, const std::vector<MetricSample>& samples,
                          std::vector<AlertEvent>& events) {
  for (const auto& [labels, group] : collect(time, before, samples)) judge(labels, group, time, events);
  forget(time, events);
}

size_t WatchedRule::firing() const {
  return static_cast<size_t>(std::ranges::count_if(alerts_, [](const auto& entry) { return entry.second.firing; }));
}

}  // namespace suanli::monitor
