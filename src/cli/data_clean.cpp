#include <cstdio>
#include <optional>

#include "base/error.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "cli/output.h"
#include "data/clean.h"

namespace suanli::cli {

namespace {

constexpr const char* kCleanUsage = "suanli data clean FILE --output KEPT --rejected REJECTED.jsonl [--dry_run]";

Option option(const char* name, OptionType type, const char* otherwise, const char* help,
              std::vector<std::string> choices = {}) {
  return {.name = name, .type = type, .default_value = otherwise, .help = help, .choices = std::move(choices)};
}

const OptionTable& clean_options() {
  static const OptionTable table([] {
    auto all = row_options();
    for (Option& more : std::vector<Option>{
             option("output", OptionType::path, "", "the rows that stay, in the format of FILE"),
             option("rejected", OptionType::path, "", "the others: JSON lines with row, line, reason, detail, cells"),
             option("dry_run", OptionType::boolean, "false", "count, write nothing"),
             option("json", OptionType::boolean, "false", "the counts as JSON instead of text"),
             option("repair", OptionType::boolean, "true",
                    "encodings: bytes that are no UTF-8, mojibake, controls, NFC"),
             option("duplicates", OptionType::boolean, "true", "reject rows of the same content; the first stays"),
             option("near_duplicate_threshold", OptionType::real, "0",
                    "reject rows whose Jaccard similarity to an earlier one is about this or more (0.5 to 1); 0: none"),
             option("near_duplicate_words", OptionType::integer, "3", "words a shingle; 1 for single sentences"),
             option("duplicate_columns", OptionType::list, "", "what duplicates are told by; else all but the label"),
             option("text_column_names", OptionType::list, "", "for lengths and scripts; else guessed as for training"),
             option("min_words", OptionType::integer, "0", "0: no limit"),
             option("max_words", OptionType::integer, "0", "0: no limit"),
             option("min_characters", OptionType::integer, "0", "0: no limit"),
             option("max_characters", OptionType::integer, "0", "0: no limit"),
             option("scripts", OptionType::list, "",
                    "latin, greek, cyrillic, hebrew, arabic, devanagari, thai, hangul, kana, han: what letters may be"),
             option("script_share", OptionType::real, "0.5", "the least share of the letters in these scripts"),
             option("outliers", OptionType::text, "none", "reject numbers far out", {"none", "robust_z", "iqr"}),
             option("outlier_threshold", OptionType::real, "0", "0: 3.5 for robust_z, 3 for iqr"),
             option("outlier_columns", OptionType::list, "", "else all columns of numbers but the label"),
             option("missing", OptionType::text, "keep", "what becomes of missing cells",
                    {"keep", "drop", "median", "constant"}),
             option("missing_columns", OptionType::list, "", "else all but the label; for median those of numbers"),
             option("missing_value", OptionType::text, "", "of missing=constant"),
             option("label_column_name", OptionType::text, "", "the column of labels"),
             option("allowed_labels", OptionType::list, "", "reject rows with another label"),
             option("predictions", OptionType::path, "",
                    "JSON lines of {class: probability}, out of fold: reject labels that they contradict")}) {
      all.push_back(std::move(more));
    }
    return all;
  }());
  return table;
}

CleanOptions options_of(const Config& config) {
  const std::string outliers = config.get_string("outliers"), missing = config.get_string("missing");
  CleanOptions o;
  o.repair = config.get_bool("repair");
  o.exact_duplicates = config.get_bool("duplicates");
  o.near_duplicate_threshold = config.get_float("near_duplicate_threshold");
  o.near_duplicate_words = config.get_int("near_duplicate_words");
  o.duplicate_columns = config.get_list("duplicate_columns");
  o.text_columns = config.get_list("text_column_names");
  o.min_words = config.get_int("min_words");
  o.max_words = config.get_int("max_words");
  o.min_characters = config.get_int("min_characters");
  o.max_characters = config.get_int("max_characters");
  o.scripts = config.get_list("scripts");
  o.script_share = config.get_float("script_share");
  o.outliers = outliers == "robust_z" ? OutlierRule::robust_z
               : outliers == "iqr"    ? OutlierRule::iqr
                                      : OutlierRule::none;
  o.outlier_threshold = config.get_float("outlier_threshold");
  o.outlier_columns = config.get_list("outlier_columns");
  o.missing = missing == "drop"       ? MissingRule::drop
              : missing == "median"   ? MissingRule::median
              : missing == "constant" ? MissingRule::constant
                                      : MissingRule::keep;
  o.missing_columns = config.get_list("missing_columns");
  o.missing_value = config.get_text("missing_value");
  o.label_column = config.get_text("label_column_name");
  o.allowed_labels = config.get_list("allowed_labels");
  o.predictions = config.get_text("predictions");
  return o;
}

}  // namespace

int data_clean(std::span<const std::string> arguments) {
  if (print_help(arguments, kCleanUsage, clean_options())) return 0;
  Config config(clean_options());
  const std::filesystem::path file = only_file(config.read_arguments(arguments), kCleanUsage);
  const bool dry_run = config.get_bool("dry_run");
  const std::string kept = dry_run ? "" : config.get_text("output");
  const std::string rejected = dry_run ? "" : config.get_text("rejected");
  if (!dry_run && (kept.empty() || rejected.empty())) {
    throw UserError("clean", "expected --output FILE and --rejected FILE, or --dry_run, which counts alone");
  }
  if (!kept.empty() && kept == rejected) throw UserError("clean", "output and rejected must be different files");
  const CleanOptions options = options_of(config);
  std::optional<FileProgress> bar(std::in_place, file, clean_passes(options));
  const CleanReport report = clean(file, row_options_of(config), options, kept, rejected, bar->updates());
  bar.reset();
  Output out("");
  out.write(config.get_bool("json") ? to_json(report).dump(2) + '\n' : to_text(report));
  out.close();
  return 0;
}

}  // namespace suanli::cli
