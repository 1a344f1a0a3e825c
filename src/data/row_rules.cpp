#include "data/row_rules.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "data/cell.h"
#include "data/columns.h"
#include "data/repair.h"
#include "text/utf8.h"

namespace suanli {
namespace {

std::string_view cell_of(const Row& row, size_t column) {
  return column < row.cells.size() ? std::string_view(row.cells[column]) : std::string_view();
}

}  // namespace

uint8_t repair_row(Row* row) {
  uint8_t done = row->decoded ? uint8_t{kDecodedBytes} : uint8_t{0};
  for (size_t column = 0; column < row->cells.size(); ++column) {
    std::string text = row->cells[column];
    const uint8_t repairs = repair_text(&text);
    if (repairs != 0) row->set(column, std::move(text));
    done |= repairs;
  }
  return done;
}

RowRules::RowRules(const CleanOptions& options, const RowReader& reader, std::vector<NumberSurvey> survey)
    : options_(options), reader_(reader), survey_(std::move(survey)) {
  if (!options.label_column.empty()) label_ = reader.column(options.label_column);
  if (!options.allowed_labels.empty() && label_ == kNoColumn) {
    throw UserError("allowed_labels", "needs label_column_name: which column holds the labels");
  }
  content_ = chosen(options.duplicate_columns, false, "duplicate_columns");
  for (const std::string& name : options.scripts) scripts_.push_back(script_named(name));
  const bool lengths =
      options.min_words > 0 || options.max_words > 0 || options.min_characters > 0 || options.max_characters > 0;
  if (lengths || !scripts_.empty() || !options.text_columns.empty()) {
    ReaderOptions columns;
    columns.text_columns = options.text_columns;
    columns.label_column = options.label_column;
    for (const std::string& name : choose_columns(reader.columns(), columns, reader.source().name()).text) {
      text_.push_back(reader.column(name));
    }
  }
  if (options.outliers != OutlierRule::none) {
    outliers_ = chosen(options.outlier_columns, true, "outlier_columns");
    const double usual = options.outliers == OutlierRule::robust_z ? 3.5 : 3.0;
    outlier_threshold_ = options.outlier_threshold > 0 ? options.outlier_threshold : usual;
  }
  if (options.missing != MissingRule::keep) {
    missing_ = chosen(options.missing_columns, options.missing == MissingRule::median, "missing_columns");
  }
  if (options.missing == MissingRule::constant && is_missing(options.missing_value)) {
    throw UserError("missing_value", "expected the value that fills missing cells, got one that is missing itself");
  }
}

/// The columns of `names`, or all but the label; for `numbers` those of numbers alone.
std::vector<size_t> RowRules::chosen(const std::vector<std::string>& names, bool numbers, const char* what) const {
  std::vector<size_t> columns;
  for (const std::string& name : names) {
    columns.push_back(reader_.column(name));
    if (numbers && !survey_[columns.back()].numeric) {
      throw UserError(
          what, concat("column \"", name, "\" holds cells that are no numbers; `suanli data inspect` shows them"));
    }
  }
  if (!names.empty()) return columns;
  for (size_t column = 0; column < reader_.columns().size(); ++column) {
    if (column != label_ && (!numbers || survey_[column].numeric)) columns.push_back(column);
  }
  return columns;
}

Verdict RowRules::judge(Row* row, int64_t* filled) const {
  if (!row->error.empty()) return {"bad_row", row->error};
  if (Verdict verdict = judge_label(*row); !verdict.reason.empty()) return verdict;
  if (Verdict verdict = judge_missing(row, filled); !verdict.reason.empty()) return verdict;
  if (Verdict verdict = judge_text(*row); !verdict.reason.empty()) return verdict;
  return judge_numbers(*row);
}

Verdict RowRules::judge_label(const Row& row) const {
  if (options_.allowed_labels.empty()) return {};
  const std::string_view label = cell_of(row, label_);
  const auto& allowed = options_.allowed_labels;
  if (std::find(allowed.begin(), allowed.end(), label) != allowed.end()) return {};
  return {"label_not_allowed", concat('"', shortened(label, 60), '"')};
}

Verdict RowRules::judge_missing(Row* row, int64_t* filled) const {
  for (const size_t column : missing_) {
    if (!is_missing(cell_of(*row, column))) continue;
    if (options_.missing == MissingRule::drop) return {"missing_cell", concat("column ", reader_.columns()[column])};
    if (column >= row->cells.size()) row->cells.resize(column + 1);
    row->set(column, options_.missing == MissingRule::median ? concat(survey_[column].median) : options_.missing_value);
    ++*filled;
  }
  return {};
}

Verdict RowRules::judge_text(const Row& row) const {
  if (text_.empty()) return {};
  std::string text;
  for (const size_t column : text_) text.append(text.empty() ? "" : " ").append(cell_of(row, column));
  const auto outside = [](int64_t length, int64_t least, int64_t most, std::string_view unit) -> Verdict {
    if (length < least) return {"too_short", concat(length, unit, ", at least ", least, " asked")};
    if (most > 0 && length > most) return {"too_long", concat(length, unit, ", at most ", most, " asked")};
    return {};
  };
  if (options_.min_words > 0 || options_.max_words > 0) {
    const auto words = static_cast<int64_t>(words_of(text).size());
    Verdict verdict = outside(words, options_.min_words, options_.max_words, " words");
    if (!verdict.reason.empty()) return verdict;
  }
  if (options_.min_characters > 0 || options_.max_characters > 0) {
    const auto characters = static_cast<int64_t>(to_code_points(text).size());
    Verdict verdict = outside(characters, options_.min_characters, options_.max_characters, " characters");
    if (!verdict.reason.empty()) return verdict;
  }
  if (scripts_.empty()) return {};
  const double share = share_of_scripts(text, scripts_);
  if (share >= options_.script_share) return {};
  return {"other_script", concat(std::lround(100 * share), "% of the letters are of the scripts asked for")};
}

Verdict RowRules::judge_numbers(const Row& row) const {
  for (const size_t column : outliers_) {
    const auto x = parse_number(cell_of(row, column));
    if (!x) continue;
    const NumberSurvey& s = survey_[column];
    const bool robust_z = options_.outliers == OutlierRule::robust_z;
    const double scale = robust_z ? s.deviation / 0.6745 : s.upper_quartile - s.lower_quartile;
    const double distance = robust_z ? std::abs(*x - s.median) : std::max(s.lower_quartile - *x, *x - s.upper_quartile);
    if (scale > 0 && distance > outlier_threshold_ * scale) {
      return {"outlier",
              concat("column ", reader_.columns()[column], ": ", *x, " lies ", number_text(distance / scale, 4),
                     robust_z ? " robust deviations from the median "
                              : " interquartile ranges beyond the quartiles around ",
                     number_text(s.median, 6))};
    }
  }
  return {};
}

}  // namespace suanli
