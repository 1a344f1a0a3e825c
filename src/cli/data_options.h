/// What the verbs under `suanli data` share.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/config.h"
#include "data/rows.h"
#include "train/progress.h"

namespace suanli::cli {

/// data_format, column_names, on_bad_row.
std::vector<Option> row_options();
RowOptions row_options_of(const Config& config);

/// The file of `suanli data VERB FILE`. Throws UserError where it is not exactly one.
std::filesystem::path only_file(const std::vector<std::string>& words, const char* usage);

/// A bar over `passes` readings of `file`, in MB; nothing where standard error is no terminal or the file no file.
class FileProgress {
 public:
  FileProgress(const std::filesystem::path& file, int passes);
  std::function<void(int64_t bytes)> updates();

 private:
  ProgressBar bar_;
};

/// The sub-verbs.
int data_inspect(std::span<const std::string> arguments);
int data_clean(std::span<const std::string> arguments);
int data_split(std::span<const std::string> arguments);

}  // namespace suanli::cli
