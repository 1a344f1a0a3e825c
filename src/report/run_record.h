/// What the folder of a run holds, read for its report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "train/answers.h"

namespace suanli {

/// One number over the steps of a run; NaN where the run logged none that was finite.
using Curve = std::vector<std::pair<double, double>>;

struct ReportedPicture {
  std::string caption, png;
};

struct RunRecord {
  std::string name;                                   ///< of the folder
  Json manifest;                                      ///< run_manifest.json, or null
  Json model;                                         ///< config.json, or null
  std::vector<Json> log;                              ///< records of metrics.jsonl
  int64_t last_step = 0, planned_steps = 0;           ///< of the log and of the newest state; 0: not known
  bool finished = false;                              ///< the training came to an end of its own
  std::vector<std::pair<std::string, Json>> results;  ///< by set: train, eval, predict, ...
  std::vector<std::pair<std::string, Answers>> answers;
  std::vector<std::pair<std::string, std::vector<ReportedPicture>>> pictures;  ///< by set: eval, predict, samples
  std::vector<std::string> notes;  ///< what is missing, broken or not finite

  /// `key` over the steps, from the records that have it.
  Curve curve(const std::string& key) const;
};

/// Reads what is there: metrics.jsonl, run_manifest.json, trainer_state.json (or that of the newest checkpoint),
/// *_results.json, *_answers.csv, the first pictures of *_pictures, and samples.png. What is broken becomes a note.
/// Throws UserError where the folder holds none of them.
RunRecord read_run(const std::filesystem::path& folder);

}  // namespace suanli
