#include <cstdio>
#include <optional>

#include "base/file.h"
#include "cli/data_options.h"
#include "cli/options.h"
#include "cli/output.h"
#include "data/inspection.h"

namespace suanli::cli {

namespace {

constexpr const char* kInspectUsage = "suanli data inspect FILE [--model DIR] [--json] [--html FILE]";

const OptionTable& inspect_options() {
  static const OptionTable table([] {
    auto all = row_options();
    all.push_back({.name = "label_column_name",
                   .type = OptionType::text,
                   .help = "whose balance is shown; else label, labels, target, category, class or intent, if there"});
    all.push_back({.name = "model",
                   .type = OptionType::path,
                   .help = "folder with a tokenizer: lengths in its tokens instead of words"});
    all.push_back(
        {.name = "json", .type = OptionType::boolean, .default_value = "false", .help = "JSON instead of text"});
    all.push_back({.name = "html", .type = OptionType::path, .help = "write a page with plots there too"});
    all.push_back({.name = "examples", .type = OptionType::integer, .default_value = "5", .help = "rows shown"});
    return all;
  }());
  return table;
}

}  // namespace

int data_inspect(std::span<const std::string> arguments) {
  if (print_help(arguments, kInspectUsage, inspect_options())) return 0;
  Config config(inspect_options());
  const std::filesystem::path file = only_file(config.read_arguments(arguments), kInspectUsage);
  InspectOptions options;
  if (config.is_set("label_column_name")) options.label_column = config.get_string("label_column_name");
  options.examples = config.get_int("examples");
  std::optional<Tokenizer> tokenizer;
  if (config.is_set("model")) tokenizer = Tokenizer::load(config.get_string("model"));
  options.tokenizer = tokenizer ? &*tokenizer : nullptr;
  std::optional<FileProgress> bar(std::in_place, file, 1);
  options.progress = bar->updates();
  const auto reader = open_rows(file, row_options_of(config));
  const Inspection inspection = inspect(*reader, options);
  bar.reset();
  if (config.is_set("html")) write_file_atomically(config.get_string("html"), to_html(inspection));
  Output out("");
  out.write(config.get_bool("json") ? to_json(inspection).dump(2) + '\n' : to_text(inspection));
  out.close();
  return 0;
}

}  // namespace suanli::cli
