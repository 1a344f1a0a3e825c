#include "monitor/alert_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/suggest.h"
#include "monitor/metrics_text.h"
#include "monitor/yaml_reader.h"

namespace suanli::monitor {
namespace {

constexpr double kQuantileWindow = 300, kRepeat = 3600, kSurgeWindow = 60;
constexpr double kLongest = 366 * 86400.0;

const std::vector<std::string> kRuleKeys = {"name",   "metric",          "labels",   "by",          "quantile",
                                            "rate",   "above",           "below",    "surge",       "for",
                                            "repeat", "keep_firing_for", "severity", "annotations", "deliver"};

/// A counter by Prometheus' naming: what surges of it are made of is its increase.
bool names_a_counter(std::string_view metric) {
  return metric.ends_with("_total") || metric.ends_with("_count") || metric.ends_with("_sum") ||
         metric.ends_with("_bucket");
}

double read_seconds(const YamlReader& reader, double most = kLongest) {
  const double seconds = reader.seconds();
  if (seconds > most) reader.refuse(concat("at most ", most, " seconds"));
  return seconds;
}

SurgeOptions read_surge(const YamlReader& reader, const std::string& metric) {
  if (!reader.value().is_object()) reader.refuse("a mapping of keys");
  const YamlReader method = reader.at("method");
  SurgeOptions options;
  if (method.text() == "poisson") {
    reader.allow_only(std::vector<std::string>{"method", "window", "alpha", "min_count", "baseline"});
    PoissonSurgeOptions poisson;
    if (const auto at = reader.find("window")) poisson.window = read_seconds(*at);
    if (const auto at = reader.find("alpha")) poisson.alpha = at->number();
    if (const auto at = reader.find("min_count")) poisson.min_count = at->number();
    if (const auto at = reader.find("baseline")) poisson.baseline = at->whole_number();
    if (poisson.baseline > 10'000) reader.at("baseline").refuse("at most 10000 windows");
    options = poisson;
  } else if (method.text() == "cusum") {
    reader.allow_only(std::vector<std::string>{"method", "window", "k", "h", "learn", "mean", "deviation"});
    CusumOptions cusum{.window = names_a_counter(metric) ? kSurgeWindow : 0};
    if (const auto at = reader.find("window")) cusum.window = read_seconds(*at);
    if (const auto at = reader.find("k")) cusum.k = at->number();
    if (const auto at = reader.find("h")) cusum.h = at->number();
    if (const auto at = reader.find("learn")) cusum.learn = at->whole_number();
    if (const auto at = reader.find("mean")) cusum.mean = at->number();
    if (const auto at = reader.find("deviation")) cusum.deviation = at->number();
    if (cusum.learn > 10'000) reader.at("learn").refuse("at most 10000 values");
    options = cusum;
  } else {
    method.refuse("poisson or cusum");
  }
  try {
    make_surge_detector(options);
  } catch (const UserError& error) {
    reader.fail(error.what());
  }
  return options;
}

void read_selection(const YamlReader& reader, AlertRule* rule) {
  const YamlReader metric = reader.at("metric");
  rule->metric = metric.text();
  if (!is_metric_name(rule->metric)) metric.refuse("the name of a metric, with its labels under `labels`");
  if (const auto labels = reader.find("labels")) {
    for (const auto& [name, pattern] : labels->entries()) {
      if (!is_label_name(name)) pattern.fail(concat("expected the name of a label, got \"", name.substr(0, 60), "\""));
      const std::string text = pattern.value() == "" ? "" : pattern.text();  // "": series without the label
      try {
        rule->labels.emplace(name, LabelPattern(text, "labels"));
      } catch (const UserError& error) {
        pattern.fail(error.what());
      }
    }
  }
  if (const auto by = reader.find("by")) {
    rule->by.emplace();
    for (const YamlReader& label : by->items()) rule->by->push_back(label.text());
    std::ranges::sort(*rule->by);
  }
}

void read_condition(const YamlReader& reader, AlertRule* rule) {
  if (const auto rate = reader.find("rate")) rule->rate = read_seconds(*rate);
  if (const auto quantile = reader.find("quantile")) {
    rule->quantile = quantile->number();
    if (*rule->quantile < 0 || *rule->quantile > 1) quantile->refuse("between 0 and 1");
    if (rule->rate == 0) rule->rate = kQuantileWindow;
  }
  if (const auto above = reader.find("above")) rule->above = above->number();
  if (const auto below = reader.find("below")) rule->below = below->number();
  if (const auto surge = reader.find("surge")) {
    rule->surge = read_surge(*surge, rule->metric);
    if (rule->rate > 0) surge->fail("expected a surge of the metric itself, got one with rate or quantile; drop them");
  }
  const int conditions = rule->above.has_value() + rule->below.has_value() + rule->surge.has_value();
  if (conditions != 1) reader.fail(concat("expected one of above, below and surge, got ", conditions, " of them"));
}

void read_telling(const YamlReader& reader, const std::vector<std::string>& deliver, AlertRule* rule) {
  if (const auto at = reader.find("for")) rule->for_seconds = read_seconds(*at);
  if (const auto at = reader.find("keep_firing_for")) rule->keep_firing_seconds = read_seconds(*at);
  rule->repeat_seconds = kRepeat;
  if (const auto at = reader.find("repeat")) rule->repeat_seconds = at->value() == "never" ? 0 : read_seconds(*at);
  rule->severity = "warning";
  if (const auto at = reader.find("severity")) rule->severity = at->text();
  if (const auto annotations = reader.find("annotations")) {
    for (const auto& [name, text] : annotations->entries()) {
      rule->annotations[name] = text.text();
      try {
        expand_annotation(rule->annotations[name], "", {}, "annotations");
      } catch (const UserError& error) {
        text.fail(error.what());
      }
    }
  }
  rule->deliver = deliver;
}

std::vector<std::string> read_deliver(const YamlReader& reader) {
  const std::vector<std::string> known(std::begin(kDeliveries), std::end(kDeliveries));
  std::vector<std::string> names;
  for (const YamlReader& item : reader.items()) {
    names.push_back(item.text());
    if (std::ranges::find(known, names.back()) == known.end()) {
      item.fail(concat("expected log or webhook, got \"", names.back().substr(0, 60), "\"",
                       did_you_mean(names.back(), known)));
    }
  }
  return names;
}

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  const char* const end = text.data() + text.size();
  double plain = 0;
  if (const auto number = std::from_chars(text.data(), end, plain); number.ec == std::errc() && number.ptr == end) {
    return std::isfinite(plain) ? std::optional(plain) : std::nullopt;
  }
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr std::array<Unit, 7> kUnits = {
      {{"y", 365 * 86400.0}, {"w", 604800}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 0.001}}};
  double seconds = 0;
  size_t next = 0;  // units come in this order
  while (!text.empty()) {
    uint32_t count = 0;
    const auto number = std::from_chars(text.data(), end, count);
    if (number.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(number.ptr - text.data()));
    const size_t length = std::min(text.find_first_of("0123456789"), text.size());
    while (next < kUnits.size() && kUnits[next].name != text.substr(0, length)) ++next;
    if (next == kUnits.size()) return std::nullopt;
    seconds += count * kUnits[next++].seconds;
    text.remove_prefix(length);
  }
  return next == 0 ? std::nullopt : std::optional(seconds);
}

std::string duration_text(double seconds) { return concat(seconds, " s"); }

std::string expand_annotation(std::string_view text, std::string_view value,
                              const std::vector<std::pair<std::string, std::string>>& labels, std::string_view where) {
  std::string out;
  for (size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const size_t close = text.find("}}", open);
    if (close == std::string_view::npos) throw UserError(where, "expected }} behind {{, got none");
    std::string_view name = text.substr(open + 2, close - open - 2);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    name = name.substr(0, name.find_last_not_of(' ') + 1);
    out += text.substr(0, open);
    if (name == "$value") {
      out += value;
    } else if (name.starts_with("$labels.") && is_label_name(name.substr(8))) {
      out += label_value(labels, name.substr(8));
    } else {
      throw UserError(where, concat("expected {{ $value }} or {{ $labels.NAME }}, got {{", name.substr(0, 60), "}}"));
    }
    text.remove_prefix(close + 2);
  }
  return out.append(text);
}

std::vector<AlertRule> parse_alert_rules(std::string_view yaml, std::string_view where) {
  const YamlDocument document = parse_yaml_with_lines(yaml, where);
  const YamlReader file(document, where);
  file.allow_only(std::vector<std::string>{"rules", "deliver"});
  std::vector<std::string> deliver = {"log"};
  if (const auto at = file.find("deliver")) deliver = read_deliver(*at);
  std::vector<AlertRule> rules;
  for (const YamlReader& reader : file.at("rules").items()) {
    reader.allow_only(kRuleKeys);
    AlertRule rule;
    rule.name = reader.at("name").text();
    if (std::ranges::find(rules, rule.name, &AlertRule::name) != rules.end()) {
      reader.at("name").fail(concat("the rule \"", rule.name.substr(0, 60), "\" comes twice; give each its own name"));
    }
    read_selection(reader, &rule);
    read_condition(reader, &rule);
    const auto own = reader.find("deliver");
    read_telling(reader, own ? read_deliver(*own) : deliver, &rule);
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::vector<AlertRule> read_alert_rules(const std::filesystem::path& file) {
  return parse_alert_rules(read_file(file, uint64_t{1} << 20), file.string());
}

}  // namespace suanli::monitor
