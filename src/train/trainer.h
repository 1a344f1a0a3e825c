/// The training loop: steps, schedule, logging, evaluation, checkpoints, early stopping, signals.
#pragma once

#include <memory>
#include <optional>

#include "train/dataset.h"
#include "train/evaluate.h"
#include "train/resume.h"
#include "train/run_log.h"
#include "train/signals.h"
#include "train/train_step.h"

namespace suanli {

/// What a run is made of; all of it outlives the trainer.
struct TrainerParts {
  const TrainArguments* arguments = nullptr;
  const Task* task = nullptr;
  ModelFiles files;
  const Dataset* train = nullptr;
  const Dataset* evaluation = nullptr;   ///< null where there is none
  std::function<Tensor()> penalty = {};  ///< see StepOptions
  DType dtype = DType::f32;
  Device device;                        ///< of the model
  dist::Communicator* ranks = nullptr;  ///< the other processes of the run; null where it is the only one
  Json configuration;
};

enum class Outcome : uint8_t {
  finished,
  stopped_early,  ///< early stopping
  interrupted,    ///< a signal; a checkpoint of the last step is saved
  not_finite      ///< max_nan_steps in a row had a loss or gradient that is not finite
};

struct TrainResult {
  Outcome outcome = Outcome::finished;
  int signal = 0;
  TrainerState state;
  LogRecord metrics;  ///< train_runtime, train_loss, ...
};

class Trainer {
 public:
  explicit Trainer(TrainerParts parts);
  /// Trains from the beginning or from resume_from_checkpoint to the end, or until a signal, early stopping or too many
  /// steps that are not finite. The model then has its last weights, or the best with load_best_model_at_end.
  /// Throws UserError and EnvironmentError; the last checkpoint then stands.
  TrainResult train();

 private:
  void resume();
  StepResult step();
  void count(const StepResult& result);
  /// Logs, evaluates and saves where it is time to; what a resumed run did before is not done again.
  void after_step(bool epoch_ended);
  void log();
  void evaluate();
  void save();
  void load_best();
  /// What the leading rank does when training is over.
  void end(TrainResult* result);
  LogRecord summary() const;
  bool due(Interval when, double every, bool epoch_ended) const;
  double epoch() const;
  static bool interrupted() { return SignalWatch::received() != 0; }
  /// Whether this process evaluates, logs and saves.
  bool leads() const { return parts_.ranks == nullptr || parts_.ranks->rank() == 0; }
  /// Whether a signal or early stopping ends the run, on whichever rank it was seen.
  bool ends();

  TrainerParts parts_;
  const TrainArguments& arguments_;
  optim::Schedule schedule_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<StepGraphs> graphs_;  ///< null where there are none
  RunPosition position_;
  int64_t batch_ = 0;  ///< rows of a micro batch, over all ranks
  int64_t batches_per_epoch_ = 0, epochs_ = 0;
  TrainerState state_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<RunLog> log_;

  StepResult last_;  // of the last step
  double last_rate_ = 0;
  int64_t tokens_since_log_ = 0;
  double seconds_before_ = 0, logged_seconds_ = 0;
  double start_ = 0;  // of this process's part
  int signal_ = 0;    // that ends the run
  bool stop_ = false, new_best_ = false;
  bool dirty_ = false;  // something has happened since the last checkpoint
};

}  // namespace suanli
