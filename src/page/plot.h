/// Plots as inline SVG: lines, dots and bars over two axes, with the numbers behind them as a table.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace suanli::page {

enum class Mark : uint8_t { line, dots, bars };

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x, y; a line is broken where one is not finite
  Mark mark = Mark::line;
  bool reference = false;  ///< a dashed line to compare with, out of legend and table
};

struct Axis {
  std::string label;  ///< with its unit
  /// NaN: as far as the finite points reach.
  double begin = std::numeric_limits<double>::quiet_NaN();
  double end = std::numeric_limits<double>::quiet_NaN();
};

struct Plot {
  std::string title;
  std::string description;  ///< what is to be seen, for those who do not see it
  Axis x, y;
  std::vector<Series> series = {};  ///< colours repeat after eight
};

/// The plot as a <figure>: title, SVG with <title> and <desc>, legend of more than one series, and a folded table of at
/// most 200 points a series. Lines of many points are thinned to what can be seen. All texts are escaped here.
std::string figure(const Plot& plot);

/// At most six round numbers (1, 2 or 5 times a power of ten apart) in [begin, end] (Heckbert 1990). Both finite,
/// begin < end.
std::vector<double> ticks(double begin, double end);

}  // namespace suanli::page
