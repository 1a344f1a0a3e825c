/// The arguments of a training or evaluation run: Hugging Face's TrainingArguments and script arguments by the same
/// names, with the same defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "data/reader.h"
#include "formats/lora_folder.h"
#include "image/augment.h"

namespace suanli {

/// All options of `suanli train` and `suanli eval`: names, defaults, help, old names, and the names that mean something
/// to PyTorch or the Hub alone.
const OptionTable& train_options();

enum class Precision : uint8_t { automatic, f32, bf16, f16, int8 };
/// When something is done: never, every n optimizer steps, at the end of each epoch, or when a score is the best so
/// far.
enum class Interval : uint8_t { no, steps, epoch, best };

/// The options as the trainer uses them. Names and meaning are those of Hugging Face; a step is an optimizer step.
struct TrainArguments {
  std::string task;  ///< empty: from the model's config.json
  // Model and data.
  std::string model_name_or_path, backbone_name_or_path, config_name, tokenizer_name;
  std::string train_file, validation_file, test_file;
  bool continues = false;                   ///< the model keeps its classes beside new ones
  std::string replay, old_validation_file;  ///< data that the model was trained on before
  double replay_ratio = 0.2, ewc_lambda = 0;
  ReaderOptions reader;        ///< columns and bad rows; the kind of labels is the task's
  int64_t max_seq_length = 0;  ///< 0: the task's default
  int64_t doc_stride = 128, max_answer_length = 30, n_best_size = 20;  ///< of question answering
  double mlm_probability = 0.15;
  int64_t block_size = 0;  ///< 0: max_seq_length
  bool line_by_line = false;
  int64_t max_train_samples = -1, max_eval_samples = -1, max_predict_samples = -1;
  double validation_split = 0, test_split = 0;  ///< shares taken from the training file
  std::string problem_type, pooling, negative_column_name;
  double triplet_margin = 0.5;
  std::filesystem::path dataset_cache_dir;  ///< empty: encoded rows are not kept
  std::filesystem::path output_dir;
  bool do_train = false, do_eval = false, do_predict = false;

  // Tables.
  std::vector<std::string> column_encodings;  ///< "column=encoding"
  std::vector<int64_t> hidden_sizes;
  std::string hidden_act, class_weight, threshold;  ///< "balanced" or "none"; "f1", "youden" or "none"
  double hidden_dropout_prob = 0, focal_loss_gamma = 0;

  // Pictures.
  AugmentOptions augment;
  int64_t image_size = 0;       ///< 0: as the model's files say
  std::string feature_model;    ///< folder of a classifier; empty: none
  bool instance_masks = false;  ///< masks number things of one class

  // Series.
  int64_t context_length = 48, prediction_length = 12, seasonality = 1;
  std::string forecaster;  ///< "linear", "lstm" or "gru"

  // Interactions.
  std::string items_file;
  int64_t history_length = 50;
  double temperature = 0.1, item_dropout = 0.1, least_rating = 4, cold_item_share = 0;
  /// The validation and the test set are the last likes of the training file's users.
  bool leaves_last_out() const { return task == "recommendation" && !train_file.empty(); }

  std::string loss;  ///< one of those that the task has; empty: its first

  // Batches and length of training.
  int64_t train_batch = 8, eval_batch = 8, gradient_accumulation_steps = 1;
  double num_train_epochs = 3;
  int64_t max_steps = -1;
  bool group_by_length = false, shuffle = true, drop_last = false;
  int64_t dataloader_num_workers = 1;
  uint64_t seed = 42, data_seed = 42;

  // Optimizer.
  std::string optimizer;  ///< "adamw" or "sgd"
  double learning_rate = 5e-5, weight_decay = 0, adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;
  double momentum = 0;  ///< of SGD
  double max_grad_norm = 1, label_smoothing_factor = 0;
  std::string lr_scheduler_type;
  double warmup_steps = 0, lr_end = 1e-7, lr_power = 1, lr_cycles = 0.5;  ///< warmup_steps < 1: a share of all steps
  std::string device = "cpu";                                             ///< as device_named() takes it
  double ddp_timeout = 1800;                                              ///< seconds
  Precision precision = Precision::automatic;
  bool tf32 = false;                   ///< of f32 products on CUDA
  bool allow_atomics = false;          ///< on CUDA: equal runs may differ in the last bits
  bool bf16_stochastic_round = false;  ///< matrices in bf16 without an f32 master
  bool gradient_checkpointing = false;
  std::optional<LoraConfig> lora;  ///< train adapters beside the model
  bool cuda_graphs = true;         ///< see train/step_graphs.h
  int64_t max_nan_steps = 20;

  // Logging, evaluation, checkpoints. Steps < 1 are a share of all steps.
  Interval logging_strategy = Interval::steps, eval_strategy = Interval::no, save_strategy = Interval::steps;
  double logging_steps = 500, eval_steps = 500, save_steps = 500, eval_delay = 0;
  bool logging_first_step = false, eval_on_start = false, save_only_model = false;
  int64_t save_total_limit = 0;  ///< 0: keep all
  bool load_best_model_at_end = false, greater_is_better = false;
  std::string metric_for_best_model;  ///< without "eval_"; empty: none
  int64_t early_stopping_patience = 0;
  double early_stopping_threshold = 0;
  std::string resume_from_checkpoint;  ///< empty: no; "true": the newest valid one in output_dir; else a folder
  std::filesystem::path logging_dir;   ///< empty: output_dir/runs/<time>_<host>
  bool tensorboard = false, disable_tqdm = false;
  std::string run_name, energy_prices;
  int64_t preempt_exit_code = -1;  ///< -1: 128 + signal
};

/// Checks and converts. Throws UserError for values out of range and combinations that contradict each other, naming
/// the keys and where they were given.
TrainArguments train_arguments(const Config& config);

/// The number of steps that an option means: `value` itself, or its share of `max_steps`, rounded up, where it is
/// below 1.
int64_t resolve_steps(double value, int64_t max_steps);

}  // namespace suanli
