#include "cli/data_options.h"

#include "base/concat.h"
#include "base/error.h"

namespace suanli::cli {

namespace {

constexpr int64_t kMegabyte = 1000000;

int64_t megabytes_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<int64_t>(size) / kMegabyte;
}

}  // namespace

std::vector<Option> row_options() {
  return {{.name = "data_format",
           .type = OptionType::text,
           .default_value = "auto",
           .help = "auto: by the name of the file",
           .choices = {"auto", "csv", "tsv", "jsonl", "libsvm", "text"}},
          {.name = "column_names", .type = OptionType::list, .help = "of a table without a header row"},
          {.name = "on_bad_row",
           .type = OptionType::text,
           .default_value = "error",
           .help = "a row that cannot be read ends the run, or is counted and passed over",
           .choices = {"error", "skip"}}};
}

RowOptions row_options_of(const Config& config) {
  RowOptions options;
  const std::string format = config.get_string("data_format");
  options.format = format == "csv"      ? FileFormat::csv
                   : format == "tsv"    ? FileFormat::tsv
                   : format == "jsonl"  ? FileFormat::json_lines
                   : format == "libsvm" ? FileFormat::libsvm
                   : format == "text"   ? FileFormat::text
                                        : FileFormat::automatic;
  options.column_names = config.get_list("column_names");
  options.on_bad_row = config.get_string("on_bad_row") == "skip" ? OnBadRow::skip : OnBadRow::error;
  return options;
}

std::filesystem::path only_file(const std::vector<std::string>& words, const char* usage) {
  if (words.size() == 1) return words[0];
  throw UserError("data", concat("expected one file, got ", words.size(), "; usage: ", usage));
}

FileProgress::FileProgress(const std::filesystem::path& file, int passes)
    : bar_(terminal_shows_progress() && megabytes_of(file) > 0, 0, passes * megabytes_of(file), "MB") {}

std::function<void(int64_t bytes)> FileProgress::updates() {
  return [this](int64_t bytes) { bar_.update(bytes / kMegabyte); };
}

}  // namespace suanli::cli
