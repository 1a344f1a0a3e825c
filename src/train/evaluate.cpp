#include "train/evaluate.h"

#include <chrono>

#include "base/concat.h"
#include "base/profile.h"
#include "data/loader.h"

namespace suanli {

Evaluation evaluate(const Task& task, const Dataset& data, DType dtype, const EvaluationOptions& options) {
  using Clock = std::chrono::steady_clock;
  const ProfileScope scope("evaluate");
  const auto start = Clock::now();
  const auto rows = static_cast<int64_t>(data.rows.size());
  Loader loader(
      Sampler(SamplingStrategy::sequential, rows, options.batch_size, 0),
      [&](int64_t row, int64_t) { return task.scored(data.rows[static_cast<size_t>(row)]); }, {}, 1, 4,
      options.workers);
  const auto scorer = task.scorer(options.keep_predictions);
  const nn::Mode mode = {.training = false, .dtype = dtype};
  Evaluation result;
  Batch batch;
  while (loader.next(&batch)) {
    if (options.stop && options.stop()) {
      result.complete = false;
      break;
    }
    scorer->add(batch, mode);
    result.samples += batch.size();
    ++result.steps;
  }
  result.scores = scorer->scores();
  result.report = scorer->report();
  result.predictions = scorer->predictions();
  result.answers = scorer->answers();
  result.pictures = scorer->pictures();
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

LogRecord evaluation_record(const std::string& prefix, const Evaluation& evaluation) {
  LogRecord record;
  for (const auto& [name, value] : evaluation.scores) record.emplace_back(concat(prefix, "_", name), value);
  record.emplace_back(concat(prefix, "_runtime"), evaluation.seconds);
  record.emplace_back(concat(prefix, "_samples_per_second"),
                      static_cast<double>(evaluation.samples) / evaluation.seconds);
  record.emplace_back(concat(prefix, "_steps_per_second"), static_cast<double>(evaluation.steps) / evaluation.seconds);
  return record;
}

}  // namespace suanli
