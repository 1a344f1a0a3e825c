/// Checkpoints of a run: all that makes the next step the same as in a run that was never stopped.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "data/loader.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/arguments.h"
#include "train/task.h"
#include "train/trainer_state.h"

namespace suanli {

/// What decides the bits of a run besides weights and optimizer. Random numbers are functions of the seed and the
/// number of the micro batch, the order of data one of the seed and the epoch: a position is enough, nothing is
/// replayed.
struct RunPosition {
  DataPosition data;  ///< the next micro batch
  uint64_t seed = 0, data_seed = 0;
  int64_t train_rows = 0, batch_size = 0, accumulation = 0;
  bool group_by_length = false, shuffle = true, drop_last = false;
  std::string dtype;  ///< of activations: "f32", "bf16"
};

/// The folder of a model that was trained: config.json and weights, and what turns raw data into its inputs.
struct ModelFiles {
  const models::Model* model = nullptr;
  /// Writes the rest into the folder: tokenizer, preprocessor_config.json, ... Throws EnvironmentError.
  std::function<void(const std::filesystem::path& folder)> write_others = {};
};
/// Throws EnvironmentError.
void save_trained_model(const ModelFiles& files, const std::filesystem::path& folder);

struct Checkpoint {
  ModelFiles files;
  const optim::Optimizer* optimizer = nullptr;  ///< null: the model alone (save_only_model)
  TrainerState state;
  RunPosition position;
  optim::Schedule schedule;
  Json configuration;  ///< the run's options, as training_args.json
};

/// Writes output_dir/checkpoint-<global_step>, whole or absent, and returns it. Throws EnvironmentError.
std::filesystem::path save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& output_dir);

/// The folder that resume_from_checkpoint means; nothing where it is not set, or "true" and there is no valid one yet.
/// Every checkpoint that is passed over is named with its fault. Throws UserError when a named folder is not valid.
std::optional<std::filesystem::path> checkpoint_to_resume(const std::string& argument,
                                                          const std::filesystem::path& output_dir);

struct Resumed {
  TrainerState state;
  DataPosition data;
};
/// The dtype that the run had, so that "auto" means the same again.
std::string checkpoint_dtype(const std::filesystem::path& folder);
/// Loads weights and optimizer state from a valid checkpoint. Throws UserError when it belongs to other data, batches,
/// seeds or another model than `now` says, naming what differs.
Resumed load_checkpoint(const std::filesystem::path& folder, const RunPosition& now, const models::Model& model,
                        optim::Optimizer& optimizer);

}  // namespace suanli
