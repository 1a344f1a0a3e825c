#include "data/label_errors.h"

#include <functional>
#include <map>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

using Probabilities = std::map<std::string, double>;

bool next_prediction(ByteSource& source, Probabilities* probabilities) {
  std::string line;
  const int64_t number = source.line();
  if (!next_line(source, &line)) return false;
  const std::string where = source.place(number);
  const Json object = parse_json(line, where);
  probabilities->clear();
  if (!object.is_object()) throw UserError(where, "expected an object {class: probability, ...}");
  for (const auto& entry : object.items()) {
    const double p = entry.value().is_number() ? entry.value().get<double>() : -1.0;
    if (!(p >= 0 && p <= 1)) {
      throw UserError(where, concat("class \"", entry.key(), "\": expected a probability, got ", entry.value().dump()));
    }
    (*probabilities)[entry.key()] = p;
  }
  return true;
}

/// Calls f(label, probabilities) for each row, or with an empty label for a bad one.
void for_each_prediction(const std::filesystem::path& file, const RowOptions& format, const std::string& label_column,
                         const std::filesystem::path& predictions, const ReadProgress& progress,
                         const std::function<void(const std::string&, const Probabilities&)>& f) {
  const auto rows = open_rows(file, format);
  const size_t label = rows->column(label_column);
  ByteSource source(predictions);
  Row row;
  Probabilities probabilities;
  const std::string none;
  while (rows->next(&row)) {
    if (!next_prediction(source, &probabilities)) {
      throw UserError(source.name(),
                      concat("ends before row ", row.number, " of ", file, "; it needs a line for each row"));
    }
    f(row.error.empty() && label < row.cells.size() ? row.cells[label] : none, probabilities);
    if (progress && row.number % 4096 == 0) progress(rows->source().position());
  }
  if (next_prediction(source, &probabilities)) {
    throw UserError(source.name(), concat("has more lines than the rows of ", file, "; it needs a line for each row"));
  }
}

}  // namespace

std::vector<bool> suspected_labels(const std::filesystem::path& file, const RowOptions& format,
                                   const std::string& label_column, const std::filesystem::path& predictions,
                                   const ReadProgress& progress) {
  struct Mean {
    double sum = 0;
    int64_t count = 0;
  };
  std::map<std::string, Mean> means;
  for_each_prediction(file, format, label_column, predictions, progress,
                      [&](const std::string& label, const Probabilities& p) {
                        if (label.empty()) return;
                        const auto at = p.find(label);
                        means[label].sum += at == p.end() ? 0.0 : at->second;
                        ++means[label].count;
                      });
  std::vector<bool> suspected;
  for_each_prediction(file, format, label_column, predictions, progress,
                      [&](const std::string& label, const Probabilities& p) {
                        const std::string* best = nullptr;
                        double highest = -1;
                        for (const auto& [name, value] : p) {
                          const auto mean = means.find(name);
                          if (mean == means.end() || value <= highest) continue;
                          if (value < mean->second.sum / static_cast<double>(mean->second.count)) continue;
                          best = &name;
                          highest = value;
                        }
                        suspected.push_back(!label.empty() && best != nullptr && *best != label);
                      });
  return suspected;
}

}  // namespace suanli
