#include <algorithm>
#include <cmath>
#include <map>

#include "base/concat.h"
#include "data/cell.h"
#include "page/html.h"
#include "report/report.h"

namespace suanli {
namespace {

constexpr size_t kWidest = 20;  // classes of a matrix that can be read
constexpr size_t kShown = 20;
constexpr size_t kTextLimit = 300;

using Pair = std::pair<std::string, std::string>;

std::string matrix(const Answers& answers, const std::map<Pair, int64_t>& counts) {
  const auto count = [&](const std::string& truth, const std::string& prediction) {
    const auto found = counts.find({truth, prediction});
    return found == counts.end() ? int64_t{0} : found->second;
  };
  std::string out = "<div class=\"wide\"><table><tr><th>truth \\ prediction</th>";
  for (const std::string& name : answers.classes) out += concat("<th scope=\"col\">", page::escaped(name), "</th>");
  out += "</tr>\n";
  for (const std::string& truth : answers.classes) {
    int64_t total = 0;
    for (const std::string& prediction : answers.classes) total += count(truth, prediction);
    out += concat("<tr><th scope=\"row\">", page::escaped(truth), "</th>");
    for (const std::string& prediction : answers.classes) {
      const int64_t n = count(truth, prediction);
      const double share = total > 0 ? static_cast<double>(n) / static_cast<double>(total) : 0;
      const char* colour = truth == prediction ? "37 99 168" : "194 87 43";
      out += concat("<td style=\"background: rgb(", colour, " / ", page::number(std::round(60 * share)), "%)\">", n,
                    " <small>", page::number(100 * share, 3), "%</small></td>");
    }
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

/// How wrong an answer is: the loss of its probabilities, or the distance of its number.
double loss_of(const Answer& row, const std::vector<bool>& truth, bool several) {
  constexpr double kLeast = 1e-30;
  double loss = 0;
  for (size_t c = 0; c < row.probabilities.size(); ++c) {
    const auto p = static_cast<double>(row.probabilities[c]);
    if (truth[c]) loss -= std::log(std::max(p, kLeast));
    if (!truth[c] && several) loss -= std::log(std::max(1 - p, kLeast));
  }
  if (row.probabilities.empty()) {
    const auto a = parse_number(row.label), b = parse_number(row.prediction);
    if (a && b) loss = std::abs(*a - *b);
  }
  return std::isfinite(loss) ? loss : 0;
}

}  // namespace

std::string confusion_part(const Answers& answers) {
  std::map<Pair, int64_t> counts;
  for (const Answer& row : answers.rows) ++counts[{row.label, row.prediction}];
  std::string out = "<h3>Confusions</h3>";
  if (answers.classes.size() <= kWidest) {
    return out + "<p>Each cell: rows of that truth and prediction, and their share of the truth.</p>" +
           matrix(answers, counts);
  }
  std::vector<std::pair<int64_t, Pair>> wrong;
  for (const auto& [pair, n] : counts) {
    if (pair.first != pair.second) wrong.emplace_back(n, pair);
  }
  std::stable_sort(wrong.begin(), wrong.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<page::Cells> rows;
  for (size_t i = 0; i < std::min(wrong.size(), kShown); ++i) {
    rows.push_back({wrong[i].second.first, wrong[i].second.second, std::to_string(wrong[i].first)});
  }
  return out + concat("<p>", answers.classes.size(), " classes: the ", rows.size(), " most frequent confusions.</p>",
                      page::table({"truth", "prediction", "rows"}, rows));
}

std::string mistakes_part(const Answers& answers) {
  const auto truths = truths_of(answers);
  std::vector<std::pair<double, size_t>> wrong;
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const Answer& row = answers.rows[i];
    if (row.label != row.prediction) wrong.emplace_back(loss_of(row, truths[i], answers.several), i);
  }
  if (wrong.empty()) return "<h3>Worst mistakes</h3><p>None: every answer is right.</p>\n";
  std::stable_sort(wrong.begin(), wrong.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const bool numbers = answers.classes.empty();
  std::vector<page::Cells> rows;
  for (size_t i = 0; i < std::min(wrong.size(), kShown); ++i) {
    const Answer& row = answers.rows[wrong[i].second];
    rows.push_back({std::to_string(row.row), row.label, row.prediction, page::number(wrong[i].first, 4),
                    shortened(row.input, kTextLimit)});
  }
  return concat("<h3>Worst mistakes</h3><p>", rows.size(), " of ", wrong.size(),
                numbers ? " answers" : " wrong answers", ", the largest ", numbers ? "error" : "loss",
                " first; rows count from 0.</p>",
                page::table({"row", "truth", "prediction", numbers ? "error" : "loss", "text"}, rows));
}

}  // namespace suanli
