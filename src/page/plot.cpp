#include "page/plot.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "page/html.h"

namespace suanli::page {
namespace {

using Point = std::pair<double, double>;

// The box of the plot in units of the SVG, which a phone shows at about their size in pixels.
constexpr double kWidth = 440, kHeight = 300, kLeft = 58, kRight = 428, kTop = 10, kBottom = 256;
constexpr size_t kTableRows = 200;

/// Beyond 1e300 the width of an axis would overflow.
bool finite(const Point& p) { return std::abs(p.first) < 1e300 && std::abs(p.second) < 1e300; }

/// From numbers of the data to units of the SVG.
struct Scale {
  double begin, end, from, to;
  double operator()(double value) const { return from + (value - begin) / (end - begin) * (to - from); }
};

Scale scale_of(const Plot& plot, const Axis& axis, double Point::*part, double from, double to) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Series& series : plot.series) {
    for (const Point& p : series.points) {
      if (!finite(p)) continue;
      low = std::min(low, p.*part);
      high = std::max(high, p.*part);
    }
  }
  if (low > high) low = 0, high = 1;
  if (std::isfinite(axis.begin)) low = axis.begin;
  if (std::isfinite(axis.end)) high = axis.end;
  if (high - low <= 1e-12 * std::abs(low)) {  // one value: some room on both sides
    const double room = std::max(std::abs(low) * 0.1, 1e-12);
    low -= room;
    high += room;
  }
  return {low, high, from, to};
}

std::string at(double x) { return number(std::round(x * 10) / 10, 6); }

std::string axes(const Plot& plot, const Scale& x, const Scale& y) {
  std::string out;
  for (const double tick : ticks(x.begin, x.end)) {
    out += concat("<line class=\"grid\" x1=\"", at(x(tick)), "\" y1=\"", at(kTop), "\" x2=\"", at(x(tick)), "\" y2=\"",
                  at(kBottom), "\"/><text x=\"", at(x(tick)), "\" y=\"", at(kBottom + 16), "\" text-anchor=\"middle\">",
                  number(tick), "</text>");
  }
  for (const double tick : ticks(y.begin, y.end)) {
    out += concat("<line class=\"grid\" x1=\"", at(kLeft), "\" y1=\"", at(y(tick)), "\" x2=\"", at(kRight), "\" y2=\"",
                  at(y(tick)), "\"/><text x=\"", at(kLeft - 6), "\" y=\"", at(y(tick) + 4), "\" text-anchor=\"end\">",
                  number(tick, 4), "</text>");
  }
  const double middle = (kTop + kBottom) / 2;
  return out + concat("<text x=\"", at((kLeft + kRight) / 2), "\" y=\"", at(kHeight - 8), "\" text-anchor=\"middle\">",
                      escaped(plot.x.label), "</text><text transform=\"translate(12 ", at(middle),
                      ") rotate(-90)\" text-anchor=\"middle\">", escaped(plot.y.label), "</text>\n");
}

/// Lines through the points, a new one behind each that is not finite. A point nearer to the last one than a unit is
/// left out, but for the ends.
std::string lines(const Series& series, const Scale& x, const Scale& y, const std::string& style) {
  std::string out, line;
  Point last;
  const auto finish = [&] {
    if (!line.empty()) out += concat("<polyline class=\"", style, "\" points=\"", line, "\"/>");
    line.clear();
  };
  for (size_t i = 0; i < series.points.size(); ++i) {
    const Point& p = series.points[i];
    if (!finite(p)) {
      finish();
      continue;
    }
    const Point place = {x(p.first), y(p.second)};
    const bool first = line.empty(), ends = i + 1 == series.points.size() || !finite(series.points[i + 1]);
    if (first && ends) {  // a point alone
      out +=
          concat("<circle class=\"", style, "\" cx=\"", at(place.first), "\" cy=\"", at(place.second), "\" r=\"3\"/>");
      continue;
    }
    if (!first && !ends && std::hypot(place.first - last.first, place.second - last.second) < 1) continue;
    line += concat(first ? "" : " ", at(place.first), ",", at(place.second));
    last = place;
  }
  finish();
  return out;
}

std::string dots(const Series& series, const Scale& x, const Scale& y, const std::string& style) {
  constexpr size_t kMost = 3000;
  const size_t step = std::max<size_t>(1, (series.points.size() + kMost - 1) / kMost);
  std::string out;
  for (size_t i = 0; i < series.points.size(); i += step) {
    const Point& p = series.points[i];
    if (!finite(p)) continue;
    out += concat("<circle class=\"", style, "\" cx=\"", at(x(p.first)), "\" cy=\"", at(y(p.second)),
                  "\" r=\"2.5\" fill-opacity=\"0.6\"/>");
  }
  return out;
}

/// Bars around their x, as wide as the points are apart, from the bottom.
std::string bars(const Series& series, const Scale& x, const Scale& y, const std::string& style) {
  const double width = (kRight - kLeft) / static_cast<double>(std::max<size_t>(1, series.points.size()));
  std::string out;
  for (const Point& p : series.points) {
    if (!finite(p)) continue;
    const double top = y(p.second);
    out += concat("<rect class=\"bar ", style, "\" x=\"", at(x(p.first) - width / 2 + 0.5), "\" y=\"", at(top),
                  "\" width=\"", at(width - 1), "\" height=\"", at(std::max(0.0, kBottom - top)), "\"/>");
  }
  return out;
}

std::string style_of(size_t i) {
  constexpr size_t kColours = 8;
  return concat("s", i % kColours);
}

std::string numbers(const Plot& plot) {
  std::vector<Cells> rows;
  for (const Series& series : plot.series) {
    if (series.reference) continue;
    const size_t step = std::max<size_t>(1, (series.points.size() + kTableRows - 1) / kTableRows);
    for (size_t i = 0; i < series.points.size(); i += step) {
      rows.push_back({series.name, number(series.points[i].first, 6), number(series.points[i].second, 6)});
    }
  }
  return concat("<details><summary>Numbers</summary>", table({"series", plot.x.label, plot.y.label}, rows),
                "</details>");
}

}  // namespace

std::vector<double> ticks(double begin, double end) {
  constexpr double kMost = 5;
  const double power = std::pow(10, std::floor(std::log10((end - begin) / kMost)));
  double step = 10 * power;
  for (const double round : {1.0, 2.0, 5.0}) {
    if ((end - begin) / (round * power) <= kMost) {
      step = round * power;
      break;
    }
  }
  std::vector<double> all;
  const double slack = step * 1e-9;
  for (double i = std::ceil((begin - slack) / step); i * step <= end + slack; ++i) {
    all.push_back(i == 0 ? 0 : i * step);                            // no -0
    if (all.size() > 1 && all.back() == all[all.size() - 2]) break;  // closer together than numbers lie
  }
  return all;
}

std::string figure(const Plot& plot) {
  const Scale x = scale_of(plot, plot.x, &Point::first, kLeft, kRight);
  const Scale y = scale_of(plot, plot.y, &Point::second, kBottom, kTop);
  std::string out = concat("<figure><figcaption>", escaped(plot.title), "</figcaption><svg viewBox=\"0 0 ", at(kWidth),
                           " ", at(kHeight), "\" role=\"img\"><title>", escaped(plot.title), "</title><desc>",
                           escaped(plot.description), "</desc>\n", axes(plot, x, y));
  std::string legend;
  size_t colour = 0;
  for (const Series& series : plot.series) {
    const std::string style = series.reference ? "even" : style_of(colour++);
    if (series.mark == Mark::line) out += lines(series, x, y, style);
    if (series.mark == Mark::dots) out += dots(series, x, y, style);
    if (series.mark == Mark::bars) out += bars(series, x, y, style);
    if (!series.reference) legend += concat("<span class=\"", style, "\">", escaped(series.name), "</span> ");
  }
  out += "</svg>\n";
  if (colour > 1) out += concat("<p class=\"legend\">", legend, "</p>");
  return out + numbers(plot) + "</figure>\n";
}

}  // namespace suanli::page
