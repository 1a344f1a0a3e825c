#include <algorithm>

#include "base/concat.h"
#include "data/cell.h"
#include "data/inspection.h"
#include "page/html.h"

namespace suanli {
namespace {

using page::escaped;
using page::number;

/// Bins from left to right under the line of their range.
std::string histogram_plot(const Distribution& d, std::string_view what) {
  constexpr double kWidth = 480, kHeight = 90;
  const double highest = *std::max_element(d.histogram.begin(), d.histogram.end());
  const double bin = kWidth / static_cast<double>(d.histogram.size());
  std::string out = concat("<svg width=\"480\" height=\"110\" viewBox=\"0 0 480 110\" role=\"img\" aria-label=\"", what,
                           " from ", number(d.min), " to ", number(d.max), "\">");
  for (size_t i = 0; i < d.histogram.size(); ++i) {
    const double height = d.histogram[i] / highest * kHeight;
    const double left = static_cast<double>(i) * bin;
    out += concat("<rect x=\"", number(left), "\" y=\"", number(kHeight - height), "\" width=\"", number(bin - 1),
                  "\" height=\"", number(height), "\"><title>", number(100 * d.histogram[i]), "%</title></rect>");
  }
  return out + concat("<text x=\"0\" y=\"106\">", number(d.min),
                      "</text><text x=\"480\" y=\"106\" text-anchor=\"end\">", number(d.max), "</text></svg>");
}

/// One bar a value with its name and count, longest first.
std::string bar_plot(const std::vector<std::pair<std::string, int64_t>>& counts, size_t limit, const char* style) {
  const size_t shown = std::min(limit, counts.size());
  if (shown == 0) return "";
  double most = 1;
  for (const auto& [name, count] : counts) most = std::max(most, static_cast<double>(count));
  std::string out = concat("<svg width=\"640\" height=\"", 20 * shown, "\" viewBox=\"0 0 640 ", 20 * shown, "\">");
  for (size_t i = 0; i < shown; ++i) {
    const double width = 300 * static_cast<double>(counts[i].second) / most;
    out += concat("<text x=\"0\" y=\"", 20 * i + 14, "\">", escaped(shortened(counts[i].first, 30)),
                  "</text><rect class=\"", style, "\" x=\"230\" y=\"", 20 * i + 3, "\" width=\"", number(width),
                  "\" height=\"14\"/><text x=\"", number(238 + width), "\" y=\"", 20 * i + 14, "\">", counts[i].second,
                  "</text>");
  }
  out += "</svg>";
  if (shown < counts.size()) out += concat("<p>and ", counts.size() - shown, " more</p>");
  return out;
}

std::string distribution_part(const Distribution& d, std::string_view what) {
  if (d.count == 0) return "";
  std::string out = concat("<p>", what, ": mean ", number(d.mean), ", deviation ", number(d.standard_deviation),
                           ", median ", number(d.quantiles[3]), ", quartiles ", number(d.quantiles[2]), " and ",
                           number(d.quantiles[4]), ", 5% ", number(d.quantiles[1]), ", 95% ", number(d.quantiles[5]));
  if (d.rank_error > 0) out += concat(" (ranks to ", number(100 * d.rank_error), " points)");
  return out + "</p>" + histogram_plot(d, what);
}

std::string column_part(const ColumnSummary& c, const Inspection& inspection) {
  std::string out =
      concat("<section><h3>", escaped(c.name), "</h3><p>", c.type, ", ", c.distinct_exact ? "" : "about ",
             number_text(c.distinct, 12), " different, ", c.present, " present, ", c.missing, " missing</p>");
  out += distribution_part(c.values, "values");
  out += distribution_part(c.lengths, inspection.length_unit);
  if (c.name != inspection.label_column) out += bar_plot(c.frequent, 10, "");
  return out + "</section>\n";
}

std::string examples_part(const Inspection& inspection) {
  page::Cells head;
  for (const ColumnSummary& column : inspection.columns) head.push_back(column.name);
  return "<h2>Examples</h2>" + page::table(head, inspection.examples);
}

}  // namespace

std::string to_html(const Inspection& inspection) {
  std::string out = concat("<h1>", escaped(inspection.file), "</h1><p>", inspection.rows, " rows, ",
                           inspection.columns.size(), " columns, ", inspection.bad_rows, " bad rows</p>\n");
  for (const std::string& message : inspection.bad_examples) out += concat("<p>", escaped(message), "</p>");
  if (!inspection.labels.empty()) {
    out += concat("<h2>Labels: ", escaped(inspection.label_column), "</h2>", bar_plot(inspection.labels, 50, ""));
  }
  std::vector<std::pair<std::string, int64_t>> missing;
  for (const ColumnSummary& column : inspection.columns) {
    if (column.missing > 0) missing.emplace_back(column.name, column.missing);
  }
  if (!missing.empty()) out += concat("<h2>Missing cells</h2>", bar_plot(missing, 50, "gap"));
  out += "<h2>Columns</h2>\n";
  for (const ColumnSummary& column : inspection.columns) out += column_part(column, inspection);
  return page::document(inspection.file, out + examples_part(inspection));
}

}  // namespace suanli
