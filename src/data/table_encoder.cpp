#include "data/table_encoder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <numbers>
#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "data/cell.h"
#include "data/column_statistics.h"
#include "data/hash.h"

namespace suanli {
namespace {

constexpr std::string_view kEncodingNames[] = {"standardize", "min_max", "robust", "log",
                                               "one_hot",     "ordinal", "hashed", "date"};
constexpr const char* kDateParts[] = {"year_sin", "year_cos", "week_sin", "week_cos", "day_sin", "day_cos"};
constexpr const char* kPreprocessorFile = "preprocessor_config.json";
constexpr size_t kCategoryLimit = 65536;
constexpr size_t kOneHotLimit = 16;

bool has_categories(ColumnEncoding e) { return e == ColumnEncoding::one_hot || e == ColumnEncoding::ordinal; }
bool is_scaled(ColumnEncoding e) { return !has_categories(e) && e != ColumnEncoding::hashed; }

/// The number that is scaled: the value, its logarithm, or seconds. Throws UserError.
double scalar_of(std::string_view cell, ColumnEncoding encoding, std::string_view name, std::string_view where) {
  if (encoding == ColumnEncoding::date) {
    if (const auto seconds = parse_date(cell)) return static_cast<double>(*seconds);
    throw UserError(where, concat("column ", name, ": expected an ISO 8601 date, got \"", shortened(cell, 60), '"'));
  }
  const auto number = parse_number(cell);
  if (!number) {
    throw UserError(where, concat("column ", name, ": expected a finite number, got \"", shortened(cell, 60), '"'));
  }
  return encoding == ColumnEncoding::log ? std::copysign(std::log1p(std::abs(*number)), *number) : *number;
}

/// Sine and cosine of the share of the year, the week (from Monday) and the day that has passed.
std::array<double, 6> date_cycles(int64_t seconds) {
  using std::chrono::days;
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year year = std::chrono::year_month_day(day).year();
  const std::chrono::sys_days begin = year / 1 / 1, end = (year + std::chrono::years(1)) / 1 / 1;
  const double in_day = static_cast<double>((time - day).count()) / 86400;
  const double in_week = (std::chrono::weekday(day).iso_encoding() - 1 + in_day) / 7;
  const double in_year =
      (static_cast<double>((day - begin).count()) + in_day) / static_cast<double>((end - begin).count());
  std::array<double, 6> cycles;
  size_t at = 0;
  for (const double share : {in_year, in_week, in_day}) {
    cycles[at++] = std::sin(2 * std::numbers::pi * share);
    cycles[at++] = std::cos(2 * std::numbers::pi * share);
  }
  return cycles;
}

std::string_view cell_in(const Row& row, size_t column) {
  return column < row.cells.size() ? std::string_view(row.cells[column]) : std::string_view();
}

void set_scale(const Distribution& d, ColumnEncoding encoding, double* center, double* scale) {
  const auto n = static_cast<double>(d.count);
  if (encoding == ColumnEncoding::min_max) {
    *center = d.min;
    *scale = d.max - d.min;
  } else if (encoding == ColumnEncoding::robust) {
    *center = d.quantiles[3];
    *scale = d.quantiles[4] - d.quantiles[2];
  } else {
    *center = d.mean;
    *scale = d.standard_deviation * std::sqrt((n - 1) / n);
  }
  if (!(*scale > 0)) *scale = 1;
}

}  // namespace

std::optional<ColumnEncoding> encoding_named(std::string_view name) {
  const auto* at = std::find(std::begin(kEncodingNames), std::end(kEncodingNames), name);
  if (at == std::end(kEncodingNames)) return std::nullopt;
  return static_cast<ColumnEncoding>(at - std::begin(kEncodingNames));
}

std::vector<ColumnPlan> suggested_plan(const Inspection& inspection, const std::string& label_column) {
  std::vector<ColumnPlan> plan;
  for (const ColumnSummary& c : inspection.columns) {
    if (c.name == label_column) continue;
    if (c.type == "integer" || c.type == "number") plan.push_back({c.name, ColumnEncoding::standardize});
    if (c.type == "date") plan.push_back({c.name, ColumnEncoding::date});
    if (c.type != "category" && c.type != "boolean") continue;
    plan.push_back({c.name, c.distinct <= kOneHotLimit ? ColumnEncoding::one_hot : ColumnEncoding::ordinal});
  }
  return plan;
}

TableEncoder::TableEncoder(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& c : columns_) {
    column_names_.push_back(c.name);
    encodings_.push_back(c.encoding);
    int32_t next = 0;
    for (auto& [category, place] : c.categories) place = next++;
    if (c.encoding == ColumnEncoding::ordinal) cardinalities_.push_back(next + 1);
    if (c.encoding == ColumnEncoding::hashed) cardinalities_.push_back(c.buckets);
    if (is_scaled(c.encoding)) number_names_.push_back(c.name);
    if (c.encoding == ColumnEncoding::one_hot) {
      for (const auto& [category, place] : c.categories) number_names_.push_back(concat(c.name, '=', category));
    }
    if (c.encoding == ColumnEncoding::date) {
      for (const char* part : kDateParts) number_names_.push_back(concat(c.name, '.', part));
    }
  }
}

TableEncoder TableEncoder::fit(RowReader& train, const std::vector<ColumnPlan>& plan) {
  std::vector<Column> columns;
  std::vector<size_t> places;
  std::vector<DistributionBuilder> values;
  std::set<std::string> seen;
  for (const ColumnPlan& p : plan) {
    if (!seen.insert(p.name).second) throw UserError("columns", concat("column \"", p.name, "\" is named twice"));
    if (p.encoding == ColumnEncoding::hashed && p.buckets < 1) {
      throw UserError("columns", concat("column \"", p.name, "\": hashed needs at least 1 bucket, got ", p.buckets));
    }
    places.push_back(train.column(p.name));
    values.emplace_back(size_t{1} << 16, static_cast<uint32_t>(values.size()));
    columns.push_back({.name = p.name, .encoding = p.encoding, .buckets = p.buckets, .categories = {}});
  }
  Row row;
  while (train.next(&row)) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string_view cell = cell_in(row, places[i]);
      Column& c = columns[i];
      if (is_missing(cell) || c.encoding == ColumnEncoding::hashed) continue;
      const auto where = [&] { return train.source().place(row.line); };
      if (is_scaled(c.encoding)) {
        values[i].add(scalar_of(cell, c.encoding, c.name, where()));
      } else if (!c.categories.contains(cell)) {
        c.categories.emplace(cell, 0);
        if (c.categories.size() > kCategoryLimit) {
          throw UserError(where(), concat("column \"", c.name, "\" has more than ", kCategoryLimit,
                                          " categories; encode it as hashed"));
        }
      }
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    Column& c = columns[i];
    const Distribution d = values[i].finish();
    if ((is_scaled(c.encoding) && d.count == 0) || (has_categories(c.encoding) && c.categories.empty())) {
      throw UserError(train.source().name(), concat("column \"", c.name, "\" holds no value to fit; leave it out"));
    }
    if (!is_scaled(c.encoding)) continue;
    c.fill = d.quantiles[3];
    set_scale(d, c.encoding, &c.center, &c.scale);
  }
  return TableEncoder(std::move(columns));
}

Json TableEncoder::to_json() const {
  Json list = Json::array();
  for (const Column& c : columns_) {
    Json column = {{"name", c.name}, {"encoding", kEncodingNames[static_cast<size_t>(c.encoding)]}};
    if (is_scaled(c.encoding)) {
      column["fill"] = c.fill;
      column["center"] = c.center;
      column["scale"] = c.scale;
    } else if (c.encoding == ColumnEncoding::hashed) {
      column["buckets"] = c.buckets;
    } else {
      Json& categories = column["categories"] = Json::array();
      for (const auto& [category, place] : c.categories) categories.push_back(category);
    }
    list.push_back(std::move(column));
  }
  return {{"feature_extractor_type", "SuanliTableEncoder"}, {"columns", list}};
}

TableEncoder TableEncoder::from_json(const Json& json, std::string_view where) {
  if (!json.is_object() || !json.contains("columns") || !json["columns"].is_array()) {
    throw UserError(where, "expected an object with a list \"columns\", as a fitted encoder is saved");
  }
  std::vector<Column> columns;
  for (const Json& entry : json["columns"]) {
    Column& c = columns.emplace_back();
    c.name = json_get<std::string>(entry, "name", where);
    const std::string here = concat(where, ", column ", c.name);
    const auto name = json_get<std::string>(entry, "encoding", here);
    const auto encoding = encoding_named(name);
    if (!encoding) throw UserError(here, concat("encoding \"", name, "\" is not known"));
    c.encoding = *encoding;
    if (is_scaled(c.encoding)) {
      c.fill = json_get<double>(entry, "fill", here);
      c.center = json_get<double>(entry, "center", here);
      c.scale = json_get<double>(entry, "scale", here);
      if (!(c.scale > 0)) throw UserError(here, concat("\"scale\" must be above 0, found ", c.scale));
    } else if (c.encoding == ColumnEncoding::hashed) {
      c.buckets = json_get<int64_t>(entry, "buckets", here);
      if (c.buckets < 1) throw UserError(here, concat("\"buckets\" must be at least 1, found ", c.buckets));
    } else {
      for (const auto& category : json_get<std::vector<std::string>>(entry, "categories", here)) {
        c.categories.emplace(category, 0);
      }
    }
  }
  return TableEncoder(std::move(columns));
}

TableEncoder TableEncoder::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kPreprocessorFile;
  return from_json(read_json(file), file.string());
}

void TableEncoder::save(const std::filesystem::path& folder) const {
  write_file_atomically(folder / kPreprocessorFile, to_json().dump(2) + '\n');
}

bool is_number(ColumnEncoding encoding) { return is_scaled(encoding) && encoding != ColumnEncoding::date; }

std::vector<size_t> TableEncoder::find_columns(const RowReader& reader) const {
  std::vector<size_t> places;
  for (const Column& c : columns_) places.push_back(reader.column(c.name));
  return places;
}

void TableEncoder::encode(const Row& row, std::span<const size_t> columns, std::string_view where,
                          std::span<float> numbers, std::span<int32_t> indices) const {
  SUANLI_ASSERT(numbers.size() == number_names_.size() && indices.size() == cardinalities_.size());
  size_t number = 0, index = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& c = columns_[i];
    const std::string_view cell = cell_in(row, columns[i]);
    const bool missing = is_missing(cell);
    if (is_scaled(c.encoding)) {
      const double x = missing ? c.fill : scalar_of(cell, c.encoding, c.name, where);
      numbers[number++] = static_cast<float>((x - c.center) / c.scale);
      if (c.encoding != ColumnEncoding::date) continue;
      for (const double part : date_cycles(static_cast<int64_t>(x))) numbers[number++] = static_cast<float>(part);
    } else if (c.encoding == ColumnEncoding::hashed) {
      indices[index++] = static_cast<int32_t>(hash_bytes(missing ? "" : cell) % static_cast<uint64_t>(c.buckets));
    } else {
      const auto at = missing ? c.categories.end() : c.categories.find(cell);
      const bool known = at != c.categories.end();
      if (c.encoding == ColumnEncoding::ordinal) {
        indices[index++] = known ? at->second + 1 : 0;
      } else {
        std::fill_n(numbers.begin() + static_cast<std::ptrdiff_t>(number), c.categories.size(), 0.0F);
        if (known) numbers[number + static_cast<size_t>(at->second)] = 1;
        number += c.categories.size();
      }
    }
  }
}

}  // namespace suanli
