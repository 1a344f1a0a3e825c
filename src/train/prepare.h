/// From the options of a run to a model and rows ready for batches; internal to train/.
#pragma once

#include "base/config.h"
#include "monitor/profile.h"
#include "nn/precision.h"
#include "train/dataset.h"
#include "train/resume.h"

namespace suanli {

/// Everything a run works on. It stays where it is: the task refers to the model.
struct Run {
  Run() = default;
  Run(const Run&) = delete;

  TrainArguments arguments;
  TaskKind kind;
  Device device;
  nn::InferencePrecision precision;
  models::Model model;
  std::unique_ptr<Task> task;
  Dataset train, validation, test;
  Dataset old, old_validation;                                            ///< of the data that the model continues from
  std::function<void(const std::filesystem::path& folder)> write_others;  ///< see ModelFiles
  monitor::BaselineProfile baseline;     ///< of the training data; without features where the task has none
  std::function<void()> after_training;  ///< what the validation set decides, before the model is saved; may be empty

  ModelFiles files() const { return {.model = &model, .write_others = write_others}; }
};

/// Fills all of a run that has its arguments. Throws UserError and EnvironmentError.
void prepare(const Config& config, Run& run);

/// The part for one kind of input: reads the data, makes the model, the task and its rows. `model_json`: config.json of
/// the model.
void prepare_text(const Config& config, const Json& model_json, Run& run);

void prepare_questions(const Json& model_json, Run& run);

void prepare_boxed_image(const Json& model_json, Run& run);

void prepare_generated_image(const Json& model_json, Run& run);

void prepare_key_points(const Json& model_json, Run& run);

void prepare_masked_image(const Json& model_json, Run& run);

void prepare_super_resolution(const Json& model_json, Run& run);

void prepare_interactions(const Json& model_json, Run& run);

void prepare_series(const Json& model_json, Run& run);

void prepare_table(const Json& model_json, Run& run);

void prepare_image(const Json& model_json, Run& run);

/// That of tokenizer_name, else of the model. Throws UserError.
Tokenizer run_tokenizer(const TrainArguments& arguments);

/// The model of the run with these labels, from its folder or with random weights. Throws UserError, also where it has
/// no trained head and is not to be trained.
models::Model make_model(const Run& run, const Json& model_json, const std::vector<std::string>& labels);

/// The option `loss`: one of `losses`, the first where it is not set. Throws UserError for others.
std::string chosen_loss(const TrainArguments& arguments, std::initializer_list<const char*> losses);

/// Encodes what was read of each part that the run uses; `key`: of their cache, where the run has one (DatasetCache).
void make_datasets(const RunData& data, const CacheKey& key, Run& run);

}  // namespace suanli
