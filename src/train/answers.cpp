#include "train/answers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/concat.h"
#include "base/error.h"
#include "data/cell.h"
#include "data/csv.h"
#include "data/row_writer.h"
#include "models/probabilities.h"

namespace suanli {
namespace {

constexpr std::string_view kProbability = "probability_";

void append_line(std::string& out, const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    append_csv(&out, cells[i], false);
  }
  out += '\n';
}

std::string text_of(float value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

float number_in(const std::string& cell) {
  const auto number = parse_number(cell);
  return number ? static_cast<float>(*number) : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

std::vector<float> class_probabilities(std::span<const float> logits, bool several) {
  std::vector<float> p;
  if (several) {
    for (const float x : logits) p.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x)))));
  } else {
    for (const double each : models::softmax(logits)) p.push_back(static_cast<float>(each));
  }
  return p;
}

void write_answers(const std::filesystem::path& file, const Answers& answers) {
  const bool inputs =
      std::any_of(answers.rows.begin(), answers.rows.end(), [](const Answer& answer) { return !answer.input.empty(); });
  std::vector<std::string> cells = {"row", answers.several ? "labels" : "label",
                                    answers.several ? "predictions" : "prediction"};
  for (const std::string& name : answers.classes) cells.push_back(concat(kProbability, name));
  if (inputs) cells.emplace_back("input");
  WholeFile out(file);
  std::string line;
  append_line(line, cells);
  out.write(line);
  for (const Answer& answer : answers.rows) {
    SUANLI_ASSERT(answer.probabilities.size() == answers.classes.size());
    cells = {std::to_string(answer.row), answer.label, answer.prediction};
    for (const float p : answer.probabilities) cells.push_back(text_of(p));
    if (inputs) cells.push_back(answer.input);
    line.clear();
    append_line(line, cells);
    out.write(line);
  }
  out.finish();
}

Answers read_answers(const std::filesystem::path& file) {
  CsvReader reader(ByteSource(file), TableFormat::csv);
  const auto& columns = reader.columns();
  Answers answers;
  answers.several = columns.size() > 1 && columns[1] == "labels";
  if (columns.size() < 3 || columns[0] != "row" || (columns[1] != "label" && !answers.several)) {
    throw UserError(file.string(), "expected the columns row, label, prediction, as a run writes them; run it again");
  }
  const bool inputs = columns.back() == "input";
  for (size_t i = 3; i + (inputs ? 1 : 0) < columns.size(); ++i) {
    if (!columns[i].starts_with(kProbability)) {
      throw UserError(file.string(), concat("expected columns probability_CLASS behind the prediction, got \"",
                                            columns[i], "\"; run it again"));
    }
    answers.classes.push_back(columns[i].substr(kProbability.size()));
  }
  std::vector<std::string> cells;
  int64_t line = 0;
  while (reader.next(&cells, &line)) {
    Answer& answer = answers.rows.emplace_back();
    answer.row = static_cast<int64_t>(parse_number(cells[0]).value_or(0));
    answer.label = cells[1];
    answer.prediction = cells[2];
    for (size_t i = 0; i < answers.classes.size(); ++i) answer.probabilities.push_back(number_in(cells[3 + i]));
    if (inputs) answer.input = cells.back();
  }
  return answers;
}

}  // namespace suanli
