#include "data/row_split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <unordered_map>

#include "base/concat.h"
#include "base/error.h"
#include "base/parallel.h"
#include "data/cell.h"
#include "data/columns.h"
#include "data/content.h"
#include "data/hash.h"
#include "data/random_sites.h"
#include "data/row_writer.h"
#include "data/shuffle.h"
#include "data/split.h"

namespace suanli {
namespace {

constexpr size_t kSplitBatch = 4096;
constexpr size_t kStrataLimit = 65536;
constexpr size_t kLeakExamples = 5;

/// What is kept of each row.
struct RowKeys {
  std::vector<uint64_t> contents, groups;
  std::vector<int64_t> strata, times;
};

void check_ratios(const std::array<double, 3>& r) {
  const bool valid = r[0] > 0 && r[1] >= 0 && r[2] >= 0 && std::abs(r[0] + r[1] + r[2] - 1) < 1e-6;
  if (valid) return;
  throw UserError("ratios", concat("expected the shares of train (above 0), validation and test, which sum to 1, got ",
                                   r[0], ", ", r[1], ", ", r[2]));
}

void check_ways(const RowSplitOptions& o) {
  const bool groups = !o.group_column.empty() && o.time_column.empty();
  const int ways = (o.stratify_column.empty() ? 0 : 1) + (o.time_column.empty() ? 0 : 1) + (groups ? 1 : 0) +
                   (o.group_duplicates ? 1 : 0);
  if (ways > 1) {
    throw UserError("split",
                    "stratify_column_name, group_column_name, time_column_name and group_duplicates are "
                    "different ways to split; give one of them");
  }
}

std::vector<size_t> content_columns(const RowReader& reader, const RowSplitOptions& options) {
  ReaderOptions columns;
  columns.text_columns = options.content_columns;
  columns.label_column = options.label_column;
  std::vector<size_t> chosen;
  for (const std::string& name : options.content_columns) chosen.push_back(reader.column(name));
  if (!chosen.empty()) return chosen;
  try {
    const ColumnChoice choice = choose_columns(reader.columns(), columns, reader.source().name());
    for (const std::string& name : choice.text) chosen.push_back(reader.column(name));
    if (!choice.pair.empty()) chosen.push_back(reader.column(choice.pair));
  } catch (const UserError&) {  // no column of text: a table of numbers
    chosen.clear();
    for (size_t column = 0; column < reader.columns().size(); ++column) {
      if (reader.columns()[column] != options.label_column) chosen.push_back(column);
    }
  }
  return chosen;
}

int64_t time_of(const std::string& cell, const std::string& place) {
  if (const auto date = parse_date(cell)) return *date * 1000000;
  const auto number = parse_number(cell);
  if (number && std::abs(*number) < 9e12) return std::llround(*number * 1e6);
  throw UserError(place, concat("expected a number or an ISO 8601 date as time, got \"", shortened(cell, 60), '"'));
}

RowKeys read_keys(const std::filesystem::path& file, const RowOptions& format, const RowSplitOptions& options,
                  const ReadProgress& progress) {
  const auto reader = open_rows(file, format);
  const std::vector<size_t> content = content_columns(*reader, options);
  const auto optional_column = [&](const std::string& name) { return name.empty() ? size_t{0} : reader->column(name); };
  const size_t stratum = optional_column(options.stratify_column), group = optional_column(options.group_column),
               time = optional_column(options.time_column);
  if (!options.label_column.empty()) reader->column(options.label_column);
  RowKeys keys;
  std::map<std::string, int64_t> classes;
  std::vector<Row> rows;
  const std::string none;
  while (reader->next_rows(kSplitBatch, &rows)) {
    const size_t first = keys.contents.size();
    keys.contents.resize(first + rows.size());
    parallel_for(static_cast<int64_t>(rows.size()), 64, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        keys.contents[first + i] = hash_bytes(normalized_content(rows[i], content));
      }
    });
    for (const Row& row : rows) {
      const auto cell = [&](size_t column) -> const std::string& {
        return column < row.cells.size() ? row.cells[column] : none;
      };
      const auto place = [&] { return reader->source().place(row.line); };
      if (!options.stratify_column.empty()) {
        keys.strata.push_back(classes.try_emplace(cell(stratum), static_cast<int64_t>(classes.size())).first->second);
        if (classes.size() > kStrataLimit) {
          throw UserError(place(), concat("column \"", options.stratify_column, "\" has more than ", kStrataLimit,
                                          " values; it is no column of classes"));
        }
      }
      if (!options.group_column.empty()) {
        if (is_missing(cell(group))) {
          throw UserError(place(), concat("column \"", options.group_column, "\" is empty; each row needs its group"));
        }
        keys.groups.push_back(hash_bytes(cell(group)));
      }
      if (!options.time_column.empty()) keys.times.push_back(time_of(cell(time), place()));
    }
    if (progress) progress(reader->source().position());
  }
  if (keys.contents.empty()) throw UserError(file.string(), "no row of data in the file");
  return keys;
}

void split_at_random(const std::vector<int64_t>& strata, const RowSplitOptions& options, std::vector<uint8_t>* parts) {
  const Split split = split_rows(strata, {options.ratios[1], options.ratios[2]}, options.seed);
  for (const int64_t row : split.validation) (*parts)[static_cast<size_t>(row)] = 1;
  for (const int64_t row : split.test) (*parts)[static_cast<size_t>(row)] = 2;
}

void split_by_group(const std::vector<uint64_t>& groups, const RowSplitOptions& options, std::vector<uint8_t>* parts) {
  struct Group {
    uint64_t id = 0;
    int64_t rows = 0;
  };
  std::vector<Group> order;
  std::unordered_map<uint64_t, size_t> places;
  for (const uint64_t id : groups) {
    const auto [at, is_new] = places.try_emplace(id, order.size());
    if (is_new) order.push_back({id, 0});
    ++order[at->second].rows;
  }
  shuffle(&order, {options.seed, 0, kGroupSite});
  const auto rows = static_cast<double>(groups.size());
  std::array<double, 3> have = {0, 0, 0};
  std::unordered_map<uint64_t, size_t>& part_of = places;
  for (const Group& group : order) {
    size_t best = 0;
    double most = -1e300;
    for (size_t part = 0; part < 3; ++part) {
      const double target = options.ratios[part] * rows;
      if (target > 0 && 1 - have[part] / target > most) {
        most = 1 - have[part] / target;
        best = part;
      }
    }
    have[best] += static_cast<double>(group.rows);
    part_of[group.id] = best;
  }
  for (size_t i = 0; i < groups.size(); ++i) (*parts)[i] = static_cast<uint8_t>(part_of[groups[i]]);
}

void split_by_time(const std::vector<int64_t>& times, const RowSplitOptions& options, std::vector<uint8_t>* parts) {
  std::vector<uint32_t> order(times.size());
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return times[a] < times[b]; });
  const auto rows = static_cast<double>(times.size());
  const auto end_of = [&](double share) {
    auto end = static_cast<size_t>(std::llround(share * rows));
    while (end > 0 && end < order.size() && times[order[end]] == times[order[end - 1]]) ++end;
    return end;
  };
  const size_t train = end_of(options.ratios[0]), validation = end_of(options.ratios[0] + options.ratios[1]);
  for (size_t i = 0; i < order.size(); ++i) {
    (*parts)[order[i]] = i < train ? uint8_t{0} : i < validation ? uint8_t{1} : uint8_t{2};
  }
}

/// Rows whose key stands in an earlier part too.
int64_t find_leaks(const std::vector<uint64_t>& keys, const std::vector<uint8_t>& parts, std::vector<Leak>* examples) {
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (keys[a] != keys[b]) return keys[a] < keys[b];
    return parts[a] != parts[b] ? parts[a] < parts[b] : a < b;
  });
  int64_t leaks = 0;
  for (size_t i = 1, head = 0; i < order.size(); ++i) {
    if (keys[order[i]] != keys[order[head]]) head = i;
    if (parts[order[i]] == parts[order[head]]) continue;
    ++leaks;
    examples->push_back({int64_t{order[i]} + 1, int64_t{order[head]} + 1, parts[order[i]], parts[order[head]]});
    std::sort(examples->begin(), examples->end(), [](const Leak& a, const Leak& b) { return a.row < b.row; });
    if (examples->size() > kLeakExamples) examples->pop_back();
  }
  return leaks;
}

}  // namespace

RowSplit split_file(const std::filesystem::path& file, const RowOptions& format, const RowSplitOptions& options,
                    const ReadProgress& progress) {
  if (file == "-") throw UserError("split", "standard input cannot be read more than once; give a file");
  check_ratios(options.ratios);
  check_ways(options);
  RowKeys keys = read_keys(file, format, options, progress);
  RowSplit split;
  split.parts.assign(keys.contents.size(), 0);
  if (!options.time_column.empty()) {
    split_by_time(keys.times, options, &split.parts);
  } else if (!options.group_column.empty() || options.group_duplicates) {
    split_by_group(options.group_duplicates ? keys.contents : keys.groups, options, &split.parts);
  } else {
    if (keys.strata.empty()) keys.strata.assign(keys.contents.size(), 0);
    split_at_random(keys.strata, options, &split.parts);
  }
  for (const uint8_t part : split.parts) ++split.rows[part];
  for (size_t part = 0; part < 3; ++part) {
    if (options.ratios[part] > 0 && split.rows[part] == 0) {
      throw UserError(file.string(), concat(keys.contents.size(), " rows are too few: no row is left for ",
                                            kPartNames[part], "; give it the ratio 0 or more data"));
    }
  }
  keys.strata = {};
  keys.times = {};
  split.content_leaks = find_leaks(keys.contents, split.parts, &split.content_examples);
  split.group_leaks = find_leaks(keys.groups, split.parts, &split.group_examples);
  return split;
}

void write_parts(const std::filesystem::path& file, const RowOptions& format, const RowSplit& split,
                 const std::filesystem::path& folder, const ReadProgress& progress) {
  const auto reader = open_rows(file, format);
  std::array<std::unique_ptr<RowWriter>, 3> writers;
  for (size_t part = 0; part < 3; ++part) {
    if (split.rows[part] == 0) continue;
    const std::filesystem::path out = folder / concat(kPartNames[part], file.extension());
    std::error_code ignored;
    if (std::filesystem::equivalent(file, out, ignored)) {
      throw UserError(out.string(), "is the file that is read; write to another folder");
    }
    writers[part] = std::make_unique<RowWriter>(out, *reader);
  }
  Row row;
  while (reader->next(&row)) {
    const auto index = static_cast<size_t>(row.number - 1);
    if (index >= split.parts.size()) throw EnvironmentError(file.string(), "has grown while it was read; try again");
    writers[split.parts[index]]->write(row);
    if (progress && row.number % kSplitBatch == 0) progress(reader->source().position());
  }
  if (row.number != static_cast<int64_t>(split.parts.size()) + 1) {
    throw EnvironmentError(file.string(), "has changed while it was read; try again");
  }
  for (const auto& writer : writers) {
    if (writer) writer->finish();
  }
}

}  // namespace suanli
