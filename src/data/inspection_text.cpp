#include <algorithm>
#include <cstdio>

#include "base/concat.h"
#include "data/cell.h"
#include "data/inspection.h"

namespace suanli {
namespace {

constexpr size_t kTextLabels = 20;
constexpr size_t kTextWidth = 100;

std::string padded(std::string text, size_t width) {
  size_t points = 0;
  for (const char c : text) points += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  if (points < width) text.append(width - points, ' ');
  return text;
}

std::string percent(int64_t part, int64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%%",
                whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0);
  return text;
}

/// The shares as eight heights of a character, the highest bin full.
std::string bars(const std::vector<double>& histogram) {
  constexpr const char* kHeights[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double highest = *std::max_element(histogram.begin(), histogram.end());
  std::string text;
  for (const double share : histogram) {
    text += kHeights[share > 0 ? std::clamp(static_cast<int>(share / highest * 8 + 0.5), 1, 8) : 0];
  }
  return text;
}

void append_distribution(std::string* out, std::string_view what, const Distribution& d) {
  if (d.count == 0) return;
  const auto n = [](double value) { return number_text(value, 5); };
  *out += concat("    ", padded(std::string(what), 8), n(d.min), " to ", n(d.max), ", mean ", n(d.mean), ", deviation ",
                 n(d.standard_deviation), "; 5% ", n(d.quantiles[1]), ", 25% ", n(d.quantiles[2]), ", median ",
                 n(d.quantiles[3]), ", 75% ", n(d.quantiles[4]), ", 95% ", n(d.quantiles[5]));
  if (d.rank_error > 0) *out += concat(" (ranks to ", number_text(100 * d.rank_error, 2), " points)");
  *out += concat("\n            ", bars(d.histogram), '\n');
}

void append_column(std::string* out, const ColumnSummary& c, const Inspection& inspection) {
  *out += concat("  ", padded(c.name, 24), ' ', padded(c.type, 9), ' ', c.distinct_exact ? "" : "about ",
                 number_text(c.distinct, 12), " different, missing ", c.missing, " (",
                 percent(c.missing, inspection.rows), ")\n");
  if (c.type == "mixed") {
    *out += concat("    of ", c.present, " cells ", c.integers + c.numbers, " are numbers, ",
                   c.present - c.integers - c.numbers, " are not\n");
  }
  append_distribution(out, "values", c.values);
  append_distribution(out, inspection.length_unit, c.lengths);
  if (c.frequent.empty() || c.name == inspection.label_column) return;
  std::string line = "    often   ";
  for (const auto& [value, count] : c.frequent) {
    const std::string next = concat(' ', shortened(value, 30), " (", count, ')');
    if (line.size() + next.size() > kTextWidth) break;
    line += next;
  }
  *out += line + '\n';
}

void append_labels(std::string* out, const Inspection& inspection) {
  if (inspection.labels.empty()) return;
  const int64_t most = inspection.labels.front().second, least = inspection.labels.back().second;
  *out += concat("\nlabels (", inspection.label_column, "): ", inspection.labels.size(), ", the largest ",
                 number_text(static_cast<double>(most) / static_cast<double>(least), 3), " times the smallest\n");
  for (size_t i = 0; i < inspection.labels.size() && i < kTextLabels; ++i) {
    const auto& [label, count] = inspection.labels[i];
    *out += concat("  ", padded(shortened(label, 30), 34), padded(concat(count), 12),
                   padded(percent(count, inspection.rows), 8), std::string(static_cast<size_t>(30 * count / most), '#'),
                   '\n');
  }
  if (inspection.labels.size() > kTextLabels)
    *out += concat("  ... and ", inspection.labels.size() - kTextLabels, " more\n");
}

}  // namespace

std::string to_text(const Inspection& inspection) {
  std::string out = concat(inspection.file, ": ", inspection.rows, " rows, ", inspection.columns.size(), " columns\n");
  if (inspection.bad_rows > 0) {
    out += concat(inspection.bad_rows, " bad rows, not counted below:\n");
    for (const std::string& message : inspection.bad_examples) out += concat("  ", message, '\n');
  }
  out += "\ncolumns:\n";
  for (const ColumnSummary& column : inspection.columns) append_column(&out, column, inspection);
  append_labels(&out, inspection);
  out += "\nexamples:\n";
  for (size_t i = 0; i < inspection.examples.size(); ++i) {
    out += concat("  row ", i + 1, '\n');
    for (size_t column = 0; column < inspection.examples[i].size(); ++column) {
      std::string cell = shortened(inspection.examples[i][column], 70);
      std::replace(cell.begin(), cell.end(), '\n', ' ');
      out += concat("    ", padded(inspection.columns[column].name, 24), ' ', cell, '\n');
    }
  }
  return out;
}

}  // namespace suanli
