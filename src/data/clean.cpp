#include "data/clean.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>

#include "base/concat.h"
#include "base/error.h"
#include "base/parallel.h"
#include "data/cell.h"
#include "data/duplicates.h"
#include "data/hash.h"
#include "data/label_errors.h"
#include "data/repair.h"
#include "data/row_rules.h"
#include "data/row_writer.h"
#include "data/sketch.h"

namespace suanli {
namespace {

constexpr size_t kCleanBatch = 4096;

bool needs_survey(const CleanOptions& o) { return o.outliers != OutlierRule::none || o.missing == MissingRule::median; }

bool needs_duplicates(const CleanOptions& o) { return o.exact_duplicates || o.near_duplicate_threshold > 0; }

/// What happened to a row of a batch.
struct Judged {
  uint8_t repairs = 0;
  int64_t filled = 0;
  Verdict verdict;
};

class Cleaner {
 public:
  Cleaner(const std::filesystem::path& file, const RowOptions& format, const CleanOptions& options,
          const ReadProgress& progress)
      : file_(file), format_(format), options_(options), progress_(progress) {}

  CleanReport run(const std::filesystem::path& kept, const std::filesystem::path& rejected) {
    if (needs_survey(options_)) survey();
    if (!options_.predictions.empty()) {
      suspected_ = suspected_labels(file_, format_, options_.label_column, options_.predictions,
                                    [this](int64_t bytes) { report_progress(bytes); });
      std::error_code ignored;
      const auto size = std::filesystem::file_size(file_, ignored);
      if (!ignored) done_bytes_ += 2 * static_cast<int64_t>(size);
    }
    if (needs_duplicates(options_)) find_duplicates();
    write(kept, rejected);
    return std::move(report_);
  }

 private:
  void report_progress(int64_t bytes) const {
    if (progress_) progress_(done_bytes_ + bytes);
  }

  /// Calls f() for each batch of repaired rows.
  template <class F>
  void for_each_batch(RowReader& reader, const F& f) {
    while (reader.next_rows(kCleanBatch, &rows_)) {
      judged_.assign(rows_.size(), {});
      if (options_.repair) {
        for_each_row(
            [](Row* row, Judged* judged) { judged->repairs = row->error.empty() ? repair_row(row) : uint8_t{0}; });
      }
      f();
      report_progress(reader.source().position());
    }
    done_bytes_ += reader.source().position();
  }

  template <class F>
  void for_each_row(const F& f) {
    parallel_for(static_cast<int64_t>(rows_.size()), 64, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) f(&rows_[i], &judged_[i]);
    });
  }

  /// What a row's rules and its suspected label say.
  Verdict judge(const RowRules& rules, Row* row, int64_t* filled) const {
    Verdict verdict = rules.judge(row, filled);
    const auto index = static_cast<size_t>(row->number - 1);
    if (verdict.reason.empty() && index < suspected_.size() && suspected_[index]) {
      return {"suspected_label", "the predictions are confident of another class"};
    }
    return verdict;
  }

  void survey() {
    const auto reader = open_rows(file_, format_);
    std::deque<Reservoir> samples;
    std::deque<bool> numeric;
    for_each_batch(*reader, [&] {
      while (samples.size() < reader->columns().size()) {
        samples.emplace_back(size_t{1} << 16, static_cast<uint32_t>(samples.size()));
        numeric.push_back(true);
      }
      parallel_tasks(static_cast<int64_t>(samples.size()), rows_.size() < 64, [&](int64_t task) {
        const auto column = static_cast<size_t>(task);
        for (const Row& row : rows_) {
          if (!row.error.empty() || column >= row.cells.size() || is_missing(row.cells[column])) continue;
          const auto number = parse_number(row.cells[column]);
          if (number) samples[column].add(*number);
          if (!number) numeric[column] = false;
        }
      });
    });
    for (size_t column = 0; column < samples.size(); ++column) {
      NumberSurvey& s = survey_.emplace_back();
      s.numeric = numeric[column] && samples[column].count() > 0;
      if (!s.numeric) continue;
      std::vector<double> sorted = samples[column].sorted();
      s.median = quantile(sorted, 0.5);
      s.lower_quartile = quantile(sorted, 0.25);
      s.upper_quartile = quantile(sorted, 0.75);
      for (double& x : sorted) x = std::abs(x - s.median);
      std::sort(sorted.begin(), sorted.end());
      s.deviation = quantile(sorted, 0.5);
    }
  }

  void find_duplicates() {
    const auto reader = open_rows(file_, format_);
    const RowRules rules(options_, *reader, survey_);
    const bool near = options_.near_duplicate_threshold > 0;
    std::optional<NearDuplicates> finder;
    if (near) finder.emplace(options_.near_duplicate_threshold);
    std::vector<uint64_t> hashes;
    std::vector<uint64_t> batch;
    std::vector<MinHash> signatures;
    for_each_batch(*reader, [&] {
      batch.assign(rows_.size(), 0);
      signatures.resize(near ? rows_.size() : 0);
      parallel_for(static_cast<int64_t>(rows_.size()), 64, [&](int64_t begin, int64_t end) {
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          int64_t filled = 0;
          if (!judge(rules, &rows_[i], &filled).reason.empty()) continue;
          const std::string content = normalized_content(rows_[i], rules.content_columns());
          batch[i] = std::max<uint64_t>(hash_bytes(content), 1);
          if (near) signatures[i] = min_hash(content, options_.near_duplicate_words);
        }
      });
      if (options_.exact_duplicates) hashes.insert(hashes.end(), batch.begin(), batch.end());
      for (size_t i = 0; i < signatures.size(); ++i) finder->add(batch[i] != 0 ? &signatures[i] : nullptr);
    });
    if (options_.exact_duplicates) exact_ = first_with_same_hash(hashes);
    std::vector<uint64_t>().swap(hashes);
    if (near) near_ = finder->find();
  }

  Verdict judge_duplicate(size_t index) const {
    if (index < exact_.size() && exact_[index] != kNoRow) return {"duplicate", concat("of row ", exact_[index] + 1)};
    if (index < near_.size() && near_[index] != kNoRow) return {"near_duplicate", concat("of row ", near_[index] + 1)};
    return {};
  }

  void write(const std::filesystem::path& kept, const std::filesystem::path& rejected) {
    const auto reader = open_rows(file_, format_);
    const RowRules rules(options_, *reader, survey_);
    std::optional<RowWriter> kept_file;
    std::optional<WholeFile> rejected_file;
    if (!kept.empty()) kept_file.emplace(kept, *reader);
    if (!rejected.empty()) rejected_file.emplace(rejected);
    for_each_batch(*reader, [&] {
      for_each_row([&](Row* row, Judged* judged) {
        judged->verdict = judge(rules, row, &judged->filled);
        if (judged->verdict.reason.empty()) judged->verdict = judge_duplicate(static_cast<size_t>(row->number - 1));
      });
      for (size_t i = 0; i < rows_.size(); ++i) {
        count(judged_[i]);
        if (judged_[i].verdict.reason.empty()) {
          if (kept_file) kept_file->write(rows_[i]);
        } else if (rejected_file) {
          const Json line = {{"row", rows_[i].number},
                             {"line", rows_[i].line},
                             {"reason", judged_[i].verdict.reason},
                             {"detail", judged_[i].verdict.detail},
                             {"cells", row_json(rows_[i], *reader)}};
          rejected_file->write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
        }
      }
    });
    if (report_.rows == 0) throw UserError(file_.string(), "no row of data in the file");
    if (rejected_file) rejected_file->finish();
    if (kept_file) kept_file->finish();
  }

  void count(const Judged& judged) {
    ++report_.rows;
    if (judged.verdict.reason.empty()) {
      ++report_.kept;
      report_.filled += judged.filled;
    } else {
      ++report_.rejected[std::string(judged.verdict.reason)];
    }
    constexpr std::pair<Repair, const char*> kNames[] = {{kDecodedBytes, "bytes_not_utf8"},
                                                         {kUndidMojibake, "mojibake"},
                                                         {kRemovedControls, "control_characters"},
                                                         {kComposedLetters, "composed_letters"}};
    for (const auto& [bit, name] : kNames) {
      if ((judged.repairs & bit) != 0) ++report_.repaired[name];
    }
  }

  const std::filesystem::path& file_;
  const RowOptions& format_;
  const CleanOptions& options_;
  const ReadProgress& progress_;
  int64_t done_bytes_ = 0;
  std::vector<Row> rows_;
  std::vector<Judged> judged_;
  std::vector<NumberSurvey> survey_;
  std::vector<bool> suspected_;
  std::vector<uint32_t> exact_, near_;
  CleanReport report_;
};

}  // namespace

CleanReport clean(const std::filesystem::path& file, RowOptions format, const CleanOptions& options,
                  const std::filesystem::path& kept, const std::filesystem::path& rejected,
                  const ReadProgress& progress) {
  if (file == "-") throw UserError("clean", "standard input cannot be read more than once; give a file");
  std::error_code ignored;
  for (const auto& out : {kept, rejected}) {
    if (!out.empty() && std::filesystem::equivalent(file, out, ignored)) {
      throw UserError(out.string(), "is the file that is read; write to another one");
    }
  }
  if (!options.predictions.empty() && options.label_column.empty()) {
    throw UserError("predictions", "needs label_column_name: which column holds the labels");
  }
  if (options.near_duplicate_words < 1) throw UserError("near_duplicate_words", "expected at least 1 word a shingle");
  format.check_encoding = !options.repair;
  return Cleaner(file, format, options, progress).run(kept, rejected);
}

int clean_passes(const CleanOptions& options) {
  return 1 + static_cast<int>(needs_survey(options)) + static_cast<int>(needs_duplicates(options)) +
         (options.predictions.empty() ? 0 : 2);
}

Json to_json(const CleanReport& report) {
  return {{"rows", report.rows},
          {"kept", report.kept},
          {"rejected", report.rejected},
          {"repaired", report.repaired},
          {"filled_cells", report.filled}};
}

std::string to_text(const CleanReport& report) {
  std::string out = concat(report.rows, " rows: ", report.kept, " kept, ", report.rows - report.kept, " rejected\n");
  for (const auto& [reason, rows] : report.rejected) out += concat("  rejected  ", reason, ' ', rows, '\n');
  for (const auto& [repair, rows] : report.repaired) out += concat("  repaired  ", repair, ' ', rows, '\n');
  if (report.filled > 0) out += concat("  filled    ", report.filled, " missing cells\n");
  return out;
}

}  // namespace suanli
