#include "train/table_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "base/profile.h"
#include "data/cell.h"
#include "data/inspection.h"
#include "data/libsvm.h"
#include "data/split.h"

namespace suanli {
namespace {

class PartRows final : public RowReader {
 public:
  PartRows(std::unique_ptr<RowReader> all, const TablePart& part)
      : RowReader(all->options()), all_(std::move(all)), part_(part) {
    columns_ = all_->columns();
  }
  const ByteSource& source() const override { return all_->source(); }

 private:
  bool read(Row* row) override {
    while (all_->next(row)) {
      const auto number = static_cast<size_t>(row->number - 1);
      if (!row->error.empty()) {
        log_warning(concat("skipped a bad row: ", row->error));
      } else if (part_.parts.empty() || (number < part_.parts.size() && part_.parts[number] == part_.part)) {
        return true;
      }
    }
    return false;
  }

  std::unique_ptr<RowReader> all_;
  const TablePart& part_;
};

/// Calls f(row, label) for each row of a part.
template <class F>
void for_each_label(const TablePart& part, const std::string& label, F&& f) {
  const auto reader = open_part(part);
  const size_t column = reader->column(label);
  Row row;
  while (reader->next(&row)) {
    const std::string place = reader->source().place(row.line);
    if (column >= row.cells.size() || is_missing(row.cells[column])) {
      throw UserError(place, concat("the label (column ", label, ") is missing; give one or remove the row"));
    }
    f(row, row.cells[column], place);
  }
}

double number_of_label(const std::string& cell, const std::string& place) {
  if (const auto number = parse_number(cell)) return *number;
  throw UserError(place, concat("the label must be a finite number, found \"", shortened(cell, 60), '"'));
}

/// 0, 1 or 2 for each row of the training file.
std::vector<uint8_t> split_parts(const TablePart& all, const std::string& label, bool regression,
                                 const SplitFractions& fractions, uint64_t seed) {
  std::map<std::string, int64_t> classes;
  std::vector<int64_t> strata, numbers;
  for_each_label(all, label, [&](const Row& row, const std::string& cell, const std::string&) {
    const auto next = static_cast<int64_t>(classes.size());
    strata.push_back(regression ? 0 : classes.try_emplace(cell, next).first->second);
    numbers.push_back(row.number);
  });
  if (numbers.empty()) throw UserError(all.file.string(), "no row of data in the file");
  constexpr uint8_t kNone = 255;  // bad rows
  std::vector<uint8_t> parts(static_cast<size_t>(numbers.back()), kNone);
  const Split split = split_rows(strata, fractions, seed);
  const auto place = [&](const std::vector<int64_t>& rows, uint8_t part) {
    for (const int64_t row : rows) parts[static_cast<size_t>(numbers[static_cast<size_t>(row)] - 1)] = part;
  };
  place(split.train, 0);
  place(split.validation, 1);
  place(split.test, 2);
  return parts;
}

ColumnPlan plan_named(const std::string& name, std::string_view encoding) {
  ColumnPlan plan = {.name = name, .encoding = ColumnEncoding::hashed};
  constexpr std::string_view kHashed = "hashed:";
  if (encoding.starts_with(kHashed)) {
    const std::string_view digits = encoding.substr(kHashed.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), plan.buckets);
    if (error == std::errc() && end == digits.data() + digits.size() && plan.buckets > 0) return plan;
  } else if (const auto found = encoding_named(encoding); found && *found != ColumnEncoding::hashed) {
    plan.encoding = *found;
    return plan;
  }
  throw UserError("column_encodings",
                  concat("column ", name,
                         ": expected none, standardize, min_max, robust, log, one_hot, ordinal, date or "
                         "hashed:BUCKETS, got \"",
                         encoding, '"'));
}

}  // namespace

std::unique_ptr<RowReader> open_part(const TablePart& part) {
  return std::make_unique<PartRows>(open_rows(part.file, part.options), part);
}

TableParts table_parts(const TrainArguments& a, const std::string& label, bool regression) {
  RowOptions options;
  options.column_names = a.reader.column_names;
  options.on_bad_row = a.reader.on_bad_row;
  TableParts parts;
  const SplitFractions fractions = {a.validation_split, a.test_split};
  const bool splits = fractions.validation > 0 || fractions.test > 0;
  if (!a.train_file.empty() && (a.do_train || splits)) parts.train = {.file = a.train_file, .options = options};
  if (splits) {
    parts.train.parts = split_parts(parts.train, label, regression, fractions, a.data_seed);
    const auto other = [&](uint8_t part) {
      TablePart copy = parts.train;
      copy.part = part;
      return copy;
    };
    if (fractions.validation > 0) parts.validation = other(1);
    if (fractions.test > 0) parts.test = other(2);
  }
  const bool evaluates = a.do_eval || a.eval_strategy != Interval::no;
  if (!a.validation_file.empty() && evaluates) parts.validation = {.file = a.validation_file, .options = options};
  if (!a.test_file.empty() && a.do_predict) parts.test = {.file = a.test_file, .options = options};
  return parts;
}

std::string label_column_of(const RowReader& reader, const std::string& named) {
  if (!named.empty()) return reader.columns()[reader.column(named)];
  for (const char* usual : {"label", "target", "class"}) {
    const auto& columns = reader.columns();
    if (std::find(columns.begin(), columns.end(), usual) != columns.end()) return usual;
  }
  throw UserError(reader.source().name(), "no column label, target or class; name it with label_column_name");
}

LabelTable classes_of(const TablePart& part, const std::string& label) {
  constexpr size_t kMostClasses = 1000;
  std::set<std::string> names;
  for_each_label(part, label, [&](const Row&, const std::string& cell, const std::string& place) {
    names.insert(cell);
    if (names.size() > kMostClasses) {
      throw UserError(place, concat("column \"", label, "\" has more than ", kMostClasses,
                                    " labels; is it a number (task tabular-regression)?"));
    }
  });
  if (names.size() < 2) {
    throw UserError(part.file.string(),
                    concat("expected at least two labels in column \"", label, "\", found ", names.size()));
  }
  std::vector<Example> examples;
  for (const std::string& name : names) {
    Example& example = examples.emplace_back();
    example.labels = {name};
  }
  return LabelTable::from_examples(examples);
}

TargetScale target_scale_of(const TablePart& part, const std::string& label) {
  double count = 0, mean = 0, squares = 0;
  for_each_label(part, label, [&](const Row&, const std::string& cell, const std::string& place) {
    const double step = number_of_label(cell, place) - mean;  // Welford 1962
    mean += step / ++count;
    squares += step * (step - step / count);
  });
  if (count == 0) throw UserError(part.file.string(), "no row of data in the file");
  const double deviation = std::sqrt(squares / count);
  return {mean, deviation > 0 ? deviation : 1};
}

std::vector<ColumnPlan> column_plan(const TablePart& part, const std::string& label,
                                    const std::vector<std::string>& asked) {
  const auto reader = open_part(part);
  std::vector<ColumnPlan> plan =
      suggested_plan(inspect(*reader, {.label_column = label, .examples = 0, .progress = {}}), label);
  for (const std::string& one : asked) {
    const size_t equals = one.rfind('=');
    if (equals == std::string::npos) {
      throw UserError("column_encodings", concat("expected column=encoding, got \"", one, '"'));
    }
    const std::string name = one.substr(0, equals), encoding = one.substr(equals + 1);
    reader->column(name);
    std::erase_if(plan, [&](const ColumnPlan& p) { return p.name == name; });
    if (encoding != "none") plan.push_back(plan_named(name, encoding));
  }
  if (plan.empty()) {
    throw UserError(part.file.string(),
                    "no column of numbers, dates or categories; see `suanli data inspect` and column_encodings");
  }
  return plan;
}

Dataset encode_part(const TablePart& part, const TableEncoder& encoder, const std::string& label,
                    const LabelTable& labels, const models::TabularConfig& config, int64_t limit,
                    const std::function<void(const RowReader& reader, const Row& row)>& seen) {
  const ProfileScope scope("encode rows");
  TablePart wide = part;
  wide.options.features = libsvm_features(encoder.column_names());
  const auto reader = open_part(wide);
  const std::vector<size_t> columns = encoder.find_columns(*reader);
  const size_t label_column = reader->column(label);
  Dataset data;
  Row row;
  while ((limit < 0 || static_cast<int64_t>(data.rows.size()) < limit) && reader->next(&row)) {
    const std::string place = reader->source().place(row.line);
    EncodedExample example;
    example.features.resize(encoder.number_names().size());
    example.categories.resize(encoder.cardinalities().size());
    encoder.encode(row, columns, place, example.features, example.categories);
    const std::string cell = label_column < row.cells.size() ? row.cells[label_column] : "";
    if (is_missing(cell)) {
      throw UserError(place, concat("the label (column ", label, ") is missing; give one or remove the row"));
    }
    const double target = config.regression()
                              ? (number_of_label(cell, place) - config.target_mean) / config.target_scale
                              : static_cast<double>(labels.id(cell, place));
    example.targets = {static_cast<float>(target)};
    example.row = static_cast<int64_t>(data.rows.size());
    data.rows.push_back(std::move(example));
    if (seen) seen(*reader, row);
  }
  if (data.rows.empty()) throw UserError(part.file.string(), "no row of data in the file");
  return data;
}

}  // namespace suanli
