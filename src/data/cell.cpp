#include "data/cell.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace suanli {
namespace {

constexpr std::string_view kMissingWords[] = {"NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"};

std::string_view without_spaces(std::string_view cell) {
  const size_t begin = cell.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return cell.substr(begin, cell.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Takes `digits` decimal digits off the front; -1 where they are not there.
int take_digits(std::string_view* text, size_t digits) {
  if (text->size() < digits) return -1;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if ((*text)[i] < '0' || (*text)[i] > '9') return -1;
    value = 10 * value + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return value;
}

bool take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

/// The offset of "Z", "+HH:MM" or nothing in seconds.
std::optional<int64_t> take_zone(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  const int64_t sign = text.front() == '+' ? 1 : -1;
  if (!take(&text, '+') && !take(&text, '-')) return std::nullopt;
  const int hours = take_digits(&text, 2);
  take(&text, ':');
  const int minutes = take_digits(&text, 2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

bool is_missing(std::string_view cell) {
  cell = without_spaces(cell);
  if (cell.size() > 4) return false;
  return cell.empty() || std::find(std::begin(kMissingWords), std::end(kMissingWords), cell) != std::end(kMissingWords);
}

std::optional<double> parse_number(std::string_view cell) {
  cell = without_spaces(cell);
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_date(std::string_view cell) {
  std::string_view text = without_spaces(cell);
  if (text.size() < 10) return std::nullopt;
  const char dash = text[4];
  if (dash != '-' && dash != '/') return std::nullopt;
  const int year = take_digits(&text, 4);
  if (year < 0 || !take(&text, dash)) return std::nullopt;
  const int month = take_digits(&text, 2);
  if (month < 0 || !take(&text, dash)) return std::nullopt;
  const int day = take_digits(&text, 2);
  if (day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const int64_t midnight = std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400};
  if (text.empty()) return midnight;
  if (!take(&text, 'T') && !take(&text, ' ')) return std::nullopt;
  const int hour = take_digits(&text, 2);
  if (hour < 0 || hour > 23 || !take(&text, ':')) return std::nullopt;
  const int minute = take_digits(&text, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  if (take(&text, ':')) {
    second = take_digits(&text, 2);
    if (second < 0 || second > 60) return std::nullopt;
    if (take(&text, '.')) text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const auto zone = take_zone(text);
  if (!zone) return std::nullopt;
  return midnight + hour * 3600 + minute * 60 + second - *zone;
}

std::string shortened(std::string_view text, size_t limit) {
  size_t at = 0;
  for (size_t points = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (begins && points++ == limit) return std::string(text.substr(0, at)) + "...";
  }
  return std::string(text);
}

std::string number_text(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

}  // namespace suanli
