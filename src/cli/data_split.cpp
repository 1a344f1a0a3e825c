#include <cstdio>
#include <optional>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "cli/output.h"
#include "data/cell.h"
#include "data/row_split.h"

namespace suanli::cli {

namespace {

constexpr const char* kSplitUsage = "suanli data split FILE --output_dir DIR [--ratios 0.8,0.1,0.1] [--seed 42]";
constexpr int kCheckSaidNo = 3;

const OptionTable& split_options() {
  static const OptionTable table([] {
    auto all = row_options();
    const auto add = [&](const char* name, OptionType type, const char* otherwise, const char* help) {
      all.push_back({.name = name, .type = type, .default_value = otherwise, .help = help});
    };
    add("output_dir", OptionType::path, "", "gets train, validation, test in the format of FILE, and split.json");
    add("ratios", OptionType::list, "0.8,0.1,0.1", "of train, validation and test; they sum to 1");
    add("seed", OptionType::integer, "42", "same file, options and seed: same parts");
    add("stratify_column_name", OptionType::text, "", "each of its values gives its share to each part");
    add("group_column_name", OptionType::text, "", "rows of one value stay in one part");
    add("time_column_name", OptionType::text, "", "oldest rows for train, newest for test; numbers or ISO 8601");
    add("group_duplicates", OptionType::boolean, "false", "rows of the same content stay in one part");
    add("content_columns", OptionType::list, "",
        "what a row says, to see it twice; else its text, or all but the label");
    add("label_column_name", OptionType::text, "", "the column of labels, which is no content");
    add("allow_leakage", OptionType::boolean, "false", "write the parts even where one leaks into another");
    return all;
  }());
  return table;
}

std::array<double, 3> ratios_of(const Config& config) {
  const std::vector<std::string> list = config.get_list("ratios");
  std::array<double, 3> ratios = {0, 0, 0};
  for (size_t i = 0; i < 3; ++i) {
    const auto number = list.size() == 3 ? parse_number(list[i]) : std::nullopt;
    if (!number) throw UserError("ratios", "expected three numbers: the shares of train, validation and test");
    ratios[i] = *number;
  }
  return ratios;
}

std::string leak_text(std::string_view what, int64_t leaks, const std::vector<Leak>& examples) {
  if (leaks == 0) return "";
  std::string text =
      concat("leakage: ", leaks, leaks == 1 ? " row has " : " rows have ", what, " of a row in an earlier part\n");
  for (const Leak& leak : examples) {
    text += concat("  row ", leak.row, " (", kPartNames[leak.part], ") and row ", leak.other_row, " (",
                   kPartNames[leak.other_part], ")\n");
  }
  return text;
}

Json manifest(const Config& config, const std::filesystem::path& file, const RowSplit& split) {
  Json out = config.to_json();
  out["file"] = file.string();
  out["file_sha256"] = sha256_file(file);
  out["rows"] = {{"train", split.rows[0]}, {"validation", split.rows[1]}, {"test", split.rows[2]}};
  out["content_leaks"] = split.content_leaks;
  out["group_leaks"] = split.group_leaks;
  return out;
}

}  // namespace

int data_split(std::span<const std::string> arguments) {
  if (print_help(arguments, kSplitUsage, split_options())) return 0;
  Config config(split_options());
  const std::filesystem::path file = only_file(config.read_arguments(arguments), kSplitUsage);
  const std::filesystem::path folder = config.get_text("output_dir");
  if (folder.empty()) throw UserError("split", "expected --output_dir DIR for the parts");
  if (config.get_string("on_bad_row") == "skip") {
    throw UserError("on_bad_row", "split loses no row: `suanli data clean` takes the bad ones out first");
  }
  RowSplitOptions options;
  options.ratios = ratios_of(config);
  options.seed = static_cast<uint64_t>(config.get_int("seed"));
  options.stratify_column = config.get_text("stratify_column_name");
  options.group_column = config.get_text("group_column_name");
  options.time_column = config.get_text("time_column_name");
  options.group_duplicates = config.get_bool("group_duplicates");
  options.content_columns = config.get_list("content_columns");
  options.label_column = config.get_text("label_column_name");
  const RowOptions format = row_options_of(config);
  std::optional<FileProgress> bar(std::in_place, file, 2);
  const RowSplit split = split_file(file, format, options, bar->updates());
  std::string report = leak_text("the content", split.content_leaks, split.content_examples) +
                       leak_text("the group", split.group_leaks, split.group_examples);
  const bool refused = split.leaks() && !config.get_bool("allow_leakage");
  if (!refused) {
    std::filesystem::create_directories(folder);
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    const auto update = bar->updates();
    write_parts(file, format, split, folder,
                [&](int64_t bytes) { update((ignored ? 0 : static_cast<int64_t>(size)) + bytes); });
    write_file_atomically(folder / "split.json", manifest(config, file, split).dump(2) + '\n');
  }
  bar.reset();
  for (size_t part = 0; part < 3; ++part) report += concat(kPartNames[part], ' ', split.rows[part], " rows\n");
  if (refused) {
    report +=
        "nothing is written: take duplicates out with `suanli data clean`, keep them together with "
        "--group_duplicates, or say --allow_leakage\n";
  }
  Output out("");
  out.write(report);
  out.close();
  return refused ? kCheckSaidNo : 0;
}

}  // namespace suanli::cli
