#include "monitor/metrics_text.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/concat.h"
#include "base/error.h"
#include "base/utf8.h"

namespace suanli::monitor {
namespace {

constexpr size_t kTextBytes = size_t{16} << 20;
constexpr size_t kMostSamples = 100'000;
constexpr size_t kMostLabels = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_name(std::string_view name, bool colons) {
  const auto starts = [colons](char c) { return is_letter(c) || (colons && c == ':'); };
  return !name.empty() && starts(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return starts(c) || is_digit(c); });
}

/// One line: name, labels in braces, value, perhaps a time stamp.
class SampleLine {
 public:
  SampleLine(std::string_view line, const std::string& place) : rest_(line), place_(place) {}

  MetricSample read() {
    MetricSample sample;
    sample.name = take_name(true, "the name of a metric");
    skip_blanks();
    if (take('{')) read_labels(&sample.labels);
    skip_blanks();
    const std::string_view value = take_word();
    if (!read_metric_value(value, &sample.value)) fail("a number", value);
    skip_blanks();
    if (const std::string_view stamp = take_word(); !stamp.empty()) {
      int64_t milliseconds = 0;
      const char* const end = stamp.data() + stamp.size();
      const auto parsed = std::from_chars(stamp.data(), end, milliseconds);
      if (parsed.ec != std::errc() || parsed.ptr != end) fail("a time stamp in milliseconds", stamp);
    }
    skip_blanks();
    if (!rest_.empty()) fail("the end of the line", rest_);
    return sample;
  }

 private:
  [[noreturn]] void fail(std::string_view expected, std::string_view got) const {
    throw UserError(place_, got.empty() ? concat("expected ", expected, ", got the end of the line")
                                        : concat("expected ", expected, ", got \"", got.substr(0, 60), "\""));
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }

  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view take_word() {
    const auto end = std::ranges::find_if(rest_, is_blank) - rest_.begin();
    const std::string_view word = rest_.substr(0, static_cast<size_t>(end));
    rest_.remove_prefix(word.size());
    return word;
  }

  std::string take_name(bool colons, std::string_view expected) {
    const auto goes_on = [colons](char c) { return is_letter(c) || is_digit(c) || (colons && c == ':'); };
    const auto length = static_cast<size_t>(std::ranges::find_if_not(rest_, goes_on) - rest_.begin());
    if (!is_name(rest_.substr(0, length), colons)) fail(expected, rest_);
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  std::string take_quoted() {
    if (!take('"')) fail("a value in quotes", rest_);
    std::string value;
    while (!take('"')) {
      if (rest_.empty()) fail("a closing quote", rest_);
      if (take('\\')) {
        if (take('n')) {
          value += '\n';
        } else if (rest_.empty() || (rest_[0] != '\\' && rest_[0] != '"')) {
          fail("\\\\, \\\" or \\n behind a backslash", rest_);
        } else {
          value += rest_[0];
          rest_.remove_prefix(1);
        }
      } else {
        value += rest_[0];
        rest_.remove_prefix(1);
      }
    }
    return value;
  }

  /// Behind the opening brace, until behind the closing one; a comma may stand behind the last label.
  void read_labels(Labels* labels) {
    for (skip_blanks(); !take('}'); skip_blanks()) {
      if (labels->size() == kMostLabels) {
        throw UserError(place_, concat("expected at most ", kMostLabels, " labels of a sample"));
      }
      std::string name = take_name(false, "the name of a label");
      skip_blanks();
      if (!take('=')) fail("'='", rest_);
      skip_blanks();
      labels->emplace_back(std::move(name), take_quoted());
      skip_blanks();
      if (!take(',') && !rest_.starts_with('}')) fail("',' or '}'", rest_);
    }
    std::ranges::sort(*labels);
    const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (const auto twice = std::ranges::adjacent_find(*labels, same_name); twice != labels->end()) {
      throw UserError(place_, concat("the label ", twice->first.substr(0, 60), " comes twice"));
    }
  }

  std::string_view rest_;
  const std::string& place_;
};

}  // namespace

std::string_view label_value(const Labels& labels, std::string_view name) {
  const auto at = std::ranges::find(labels, name, &Labels::value_type::first);
  return at == labels.end() ? std::string_view() : std::string_view(at->second);
}

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += concat(text.empty() ? '{' : ',', name, "=\"");
    for (const char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      text += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
    }
    text += '"';
  }
  return text.empty() ? text : text + "}";
}

bool is_metric_name(std::string_view name) { return is_name(name, true); }
bool is_label_name(std::string_view name) { return is_name(name, false); }

bool read_metric_value(std::string_view text, double* value) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

std::vector<MetricSample> parse_metrics_text(std::string_view text, std::string_view where) {
  if (text.size() > kTextBytes) {
    throw UserError(where, concat("expected at most ", kTextBytes, " bytes of metrics, got ", text.size()));
  }
  if (!text.empty() && text.back() != '\n') {
    throw UserError(where, "expected metrics to end with a line feed: the text is cut short");
  }
  std::vector<MetricSample> samples;
  std::unordered_set<std::string> seen;
  for (int64_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    const std::string place = concat(where, ':', number);
    if (find_invalid_utf8(line) != std::string_view::npos) throw UserError(place, "expected UTF-8 text");
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    if (samples.size() == kMostSamples) throw UserError(place, concat("expected at most ", kMostSamples, " samples"));
    samples.push_back(SampleLine(line.substr(begin), place).read());
    const MetricSample& sample = samples.back();
    if (!seen.insert(sample.name + label_text(sample.labels)).second) {
      throw UserError(place, concat("the series ", sample.name, label_text(sample.labels).substr(0, 60),
                                    " comes twice in one text"));
    }
  }
  return samples;
}

}  // namespace suanli::monitor
