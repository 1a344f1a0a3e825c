/// What a run tells the world while it goes on: a line a record on standard output, metrics.jsonl, event files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "train/progress.h"
#include "train/tensorboard.h"

namespace suanli {

/// Keys and numbers in the order in which they are shown: {"loss", 2.1}, {"grad_norm", 0.7}, ...
using LogRecord = std::vector<std::pair<std::string, double>>;

/// `{'loss': 2.1, 'learning_rate': 4.9e-05, 'epoch': 0.5}`: the line of Hugging Face's trainer, four digits a number.
std::string log_line(const LogRecord& record);

struct RunLogOptions {
  std::filesystem::path output_dir = {};  ///< metrics.jsonl goes here
  std::filesystem::path events = {};      ///< folder of TensorBoard event files; empty: none
  bool show_progress = false;
  int64_t first_step = 0, last_step = 0;  ///< of the progress bar
};

class RunLog {
 public:
  /// Starts with the records of `history` (those of a resumed run up to its checkpoint): metrics.jsonl is rewritten
  /// with them, so that no step appears twice. Throws EnvironmentError.
  RunLog(const RunLogOptions& options, const Json& history);
  /// Prints, appends to the history, metrics.jsonl and the event file, and flushes all. Keys that hold a slash
  /// (perf/...) go to the files alone. A number that is not finite is null in files. Throws EnvironmentError.
  void record(int64_t step, const LogRecord& record);
  void progress(int64_t step) { bar_.update(step); }
  /// Text for TensorBoard's Text page.
  void text(const std::string& tag, const std::string& content);
  /// All records so far, each with its step, as trainer_state.json's log_history.
  const Json& history() const { return history_; }

 private:
  std::filesystem::path file_;
  std::ofstream lines_;
  std::unique_ptr<EventFile> events_;
  ProgressBar bar_;
  Json history_;
};

/// output_dir/runs/<Mon><dd>_<HH-MM-SS>_<host>, or TENSORBOARD_LOGGING_DIR where that is set.
std::filesystem::path default_logging_dir(const std::filesystem::path& output_dir);

/// Writes `<split>_results.json` and merges the same keys into all_results.json. Throws EnvironmentError.
void write_results(const std::filesystem::path& output_dir, const std::string& split, const LogRecord& results);

}  // namespace suanli
