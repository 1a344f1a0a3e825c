/// One pass over an evaluation set.
#pragma once

#include <functional>

#include "train/dataset.h"
#include "train/run_log.h"
#include "train/task.h"

namespace suanli {

struct Evaluation {
  Scores scores;
  std::string report;
  std::vector<std::pair<int64_t, std::string>> predictions;  ///< text by row, where asked for
  Answers answers;                                           ///< the same, as far as the task has them
  std::vector<CaptionedImage> pictures;                      ///< see Scorer
  int64_t samples = 0, steps = 0;
  double seconds = 0;
  bool complete = true;  ///< false: stopped on the way, the scores are of a part
};

struct EvaluationOptions {
  int64_t batch_size = 8;
  bool keep_predictions = false;
  int64_t workers = 1;              ///< threads that make batches ahead; 0: none
  std::function<bool()> stop = {};  ///< asked before each batch
};

/// Scores the rows in order, as Task::scored() gives them, with dropout off.
Evaluation evaluate(const Task& task, const Dataset& data, DType dtype, const EvaluationOptions& options);

/// The record of Hugging Face: <prefix>_loss and scores, _runtime, _samples_per_second, _steps_per_second.
LogRecord evaluation_record(const std::string& prefix, const Evaluation& evaluation);

}  // namespace suanli
