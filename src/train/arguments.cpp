#include "train/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

/// Reads options and throws with the place where a bad one was given.
class Reader {
 public:
  explicit Reader(const Config& config) : config_(config) {}

  std::string text(const char* name) const { return config_.get_text(name); }
  bool boolean(const char* name, bool otherwise) const {
    return config_.is_set(name) ? config_.get_bool(name) : otherwise;
  }
  int64_t integer(const char* name, int64_t least, int64_t otherwise) const {
    if (!config_.is_set(name)) return otherwise;
    const int64_t value = config_.get_int(name);
    require(value >= least, name, concat("at least ", least), concat(value));
    return value;
  }
  double real(const char* name, double least, double most) const {
    const double value = config_.get_float(name);
    require(value >= least && value <= most, name,
            most == HUGE_VAL ? concat("at least ", least) : concat("between ", least, " and ", most), concat(value));
    return value;
  }
  void require(bool holds, const char* name, const std::string& wanted, const std::string& got) const {
    if (!holds) throw UserError(config_.source(name), concat("expected ", name, " to be ", wanted, ", got ", got));
  }

 private:
  const Config& config_;
};

Interval interval_named(const std::string& name) {
  if (name == "no") return Interval::no;
  if (name == "epoch") return Interval::epoch;
  return name == "best" ? Interval::best : Interval::steps;
}

/// Losses and errors fall, everything else rises.
bool rises(const std::string& metric) {
  for (const char* falling : {"loss", "mse", "mae", "perplexity", "brier", "calibration_error"}) {
    if (metric.ends_with(falling)) return false;
  }
  return true;
}

ReaderOptions reader_options(const Config& config, const Reader& read) {
  ReaderOptions options;
  options.text_columns = config.get_list("text_column_names");
  options.text_column_delimiter = read.text("text_column_delimiter");
  options.text_pair_column = read.text("text_pair_column_name");
  options.text_pair_extension = read.text("text_pair_extension");
  options.label_column = read.text("label_column_name");
  options.label_separator = read.text("label_separator");
  options.column_names = config.get_list("column_names");
  options.on_bad_row = read.text("on_bad_row") == "skip" ? OnBadRow::skip : OnBadRow::error;
  return options;
}

void read_data_arguments(const Config& config, const Reader& read, TrainArguments* a) {
  a->task = read.text("task");
  a->model_name_or_path = read.text("model_name_or_path");
  if (const std::string before = read.text("continue_from"); !before.empty()) {
    read.require(a->model_name_or_path.empty() || a->model_name_or_path == before, "continue_from",
                 "the model alone, without another model_name_or_path", before);
    a->model_name_or_path = before;
    a->continues = true;
  }
  a->replay = read.text("replay");
  a->replay_ratio = read.real("replay_ratio", 0, 0.99);
  a->ewc_lambda = read.real("ewc_lambda", 0, HUGE_VAL);
  read.require(a->ewc_lambda == 0 || !a->replay.empty(), "ewc_lambda", "0 without a replay file",
               concat(a->ewc_lambda));
  a->old_validation_file = read.text("old_validation_file");
  a->config_name = read.text("config_name");
  a->tokenizer_name = read.text("tokenizer_name");
  a->train_file = read.text("train_file");
  a->validation_file = read.text("validation_file");
  a->test_file = read.text("test_file");
  a->reader = reader_options(config, read);
  a->validation_split = read.real("validation_split", 0, 0.9);
  a->test_split = read.real("test_split", 0, 0.9);
  read.require(a->validation_split + a->test_split <= 0.9, "validation_split", "at most 0.9 together with test_split",
               concat(a->validation_split + a->test_split));
  read.require(a->validation_split == 0 || a->validation_file.empty(), "validation_split",
               "0 where validation_file is given", concat(a->validation_split));
  read.require(a->test_split == 0 || a->test_file.empty(), "test_split", "0 where test_file is given",
               concat(a->test_split));
  a->problem_type = read.text("problem_type");
  a->pooling = read.text("pooling");
  a->dataset_cache_dir = read.text("dataset_cache_dir");
  a->max_seq_length = read.integer("max_seq_length", 2, 0);
  a->mlm_probability = read.real("mlm_probability", 1e-6, 1);
  a->block_size = read.integer("block_size", 8, 0);
  a->line_by_line = read.boolean("line_by_line", false);
  a->max_train_samples = read.integer("max_train_samples", 1, -1);
  a->max_eval_samples = read.integer("max_eval_samples", 1, -1);
  a->max_predict_samples = read.integer("max_predict_samples", 1, -1);
  a->output_dir = read.text("output_dir");
  a->do_train = read.boolean("do_train", !a->train_file.empty());
  a->do_eval = read.boolean("do_eval", !a->validation_file.empty() || a->validation_split > 0);
  a->do_predict = read.boolean("do_predict", false);
  read.require(!a->do_train || !a->train_file.empty(), "do_train", "false without a train_file", "true");
  read.require(!a->do_eval || !a->validation_file.empty() || a->validation_split > 0, "do_eval",
               "false without a validation_file or a validation_split", "true");
  read.require(!a->do_predict || !a->test_file.empty() || a->test_split > 0, "do_predict",
               "false without a test_file or a test_split", "true");
}

void read_table_arguments(const Config& config, const Reader& read, TrainArguments* a) {
  a->column_encodings = config.get_list("column_encodings");
  for (const std::string& size : config.get_list("hidden_sizes")) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
    const bool whole = error == std::errc() && end == size.data() + size.size();
    read.require(whole && value >= 0, "hidden_sizes", "whole numbers such as 64,32, or 0 for no hidden layer", size);
    if (value > 0) a->hidden_sizes.push_back(value);
  }
  a->hidden_act = read.text("hidden_act");
  a->hidden_dropout_prob = read.real("hidden_dropout_prob", 0, 0.999);
  a->class_weight = read.text("class_weight");
  a->focal_loss_gamma = read.real("focal_loss_gamma", 0, 100);
  a->threshold = read.text("threshold");
  a->context_length = read.integer("context_length", 1, 48);
  a->prediction_length = read.integer("prediction_length", 1, 12);
  a->seasonality = read.integer("seasonality", 1, 1);
  a->forecaster = read.text("forecaster");
}

void read_image_arguments(const Config& config, const Reader& read, TrainArguments* a) {
  a->image_size = read.integer("image_size", 1, 0);
  a->instance_masks = read.boolean("instance_masks", false);
  AugmentOptions& o = a->augment;
  o.hsv_h = config.get_float("hsv_h");
  o.hsv_s = config.get_float("hsv_s");
  o.hsv_v = config.get_float("hsv_v");
  o.degrees = config.get_float("degrees");
  o.translate = config.get_float("translate");
  o.scale = config.get_float("scale");
  o.shear = config.get_float("shear");
  o.mosaic = config.get_float("mosaic");
  o.flipud = config.get_float("flipud");
  o.fliplr = config.get_float("fliplr");
  o.erasing = config.get_float("erasing");
  o.brightness = config.get_float("brightness");
  o.contrast = config.get_float("contrast");
  o.saturation = config.get_float("saturation");
  o.crop_padding = read.integer("crop_padding", 0, 0);
  check(o);
}

void read_optimizer(const Config& config, const Reader& read, TrainArguments* a) {
  a->optimizer = read.text("optim") == "sgd" ? "sgd" : "adamw";
  a->learning_rate = read.real("learning_rate", 0, HUGE_VAL);
  a->weight_decay = read.real("weight_decay", 0, HUGE_VAL);
  a->momentum = read.real("momentum", 0, 1);
  a->adam_beta1 = read.real("adam_beta1", 0, 0.9999999);
  a->adam_beta2 = read.real("adam_beta2", 0, 0.9999999);
  a->adam_epsilon = read.real("adam_epsilon", 0, HUGE_VAL);
  a->max_grad_norm = read.real("max_grad_norm", 0, HUGE_VAL);
  a->label_smoothing_factor = read.real("label_smoothing_factor", 0, 0.999);
  a->lr_scheduler_type = read.text("lr_scheduler_type");
  a->lr_end = read.real("lr_end", 0, HUGE_VAL);
  read.require(a->lr_scheduler_type != "polynomial" || a->lr_end < a->learning_rate, "lr_end", "below learning_rate",
               concat(a->lr_end));
  a->lr_power = read.real("lr_power", 0, HUGE_VAL);
  a->lr_cycles = read.real("lr_cycles", 0, HUGE_VAL);
  a->warmup_steps = read.real("warmup_steps", 0, HUGE_VAL);
  if (config.is_given("warmup_ratio")) {
    // The largest share below 1 rounds up to all steps: a ratio of 1 is the whole run, not one step.
    a->warmup_steps = std::min(read.real("warmup_ratio", 0, 1), 1 - 1e-12);
  }
  a->device = read.text("device");
  const std::string precision = read.text("precision");
  a->precision = precision == "auto"   ? Precision::automatic
                 : precision == "f32"  ? Precision::f32
                 : precision == "f16"  ? Precision::f16
                 : precision == "int8" ? Precision::int8
                                       : Precision::bf16;
  const bool bf16 = read.boolean("bf16", false), fp16 = read.boolean("fp16", false);
  read.require(!(bf16 && fp16), "fp16", "false beside bf16", "true");
  if (fp16 || config.is_given("bf16")) {
    const Precision meant = fp16 ? Precision::f16 : bf16 ? Precision::bf16 : Precision::f32;
    read.require(a->precision == Precision::automatic || a->precision == meant, fp16 ? "fp16" : "bf16",
                 concat("in agreement with precision ", precision), concat(fp16 || bf16));
    a->precision = meant;
  }
  a->tf32 = read.boolean("tf32", false);
  a->bf16_stochastic_round = read.boolean("bf16_stochastic_round", false);
  read.require(!a->bf16_stochastic_round || a->precision == Precision::bf16, "bf16_stochastic_round",
               "false unless precision is bf16", "true");
  read.require(!a->bf16_stochastic_round || a->optimizer == "adamw", "bf16_stochastic_round",
               "false unless optim is adamw", "true");
  a->gradient_checkpointing = read.boolean("gradient_checkpointing", false);
  a->cuda_graphs = read.boolean("cuda_graphs", true);
  a->max_nan_steps = read.integer("max_nan_steps", 1, 20);
}

void read_batches(const Config& config, const Reader& read, TrainArguments* a) {
  a->train_batch = read.integer("per_device_train_batch_size", 1, 8);
  a->eval_batch = read.integer("per_device_eval_batch_size", 1, 8);
  a->gradient_accumulation_steps = read.integer("gradient_accumulation_steps", 1, 1);
  a->num_train_epochs = read.real("num_train_epochs", 0, HUGE_VAL);
  a->max_steps = read.integer("max_steps", -1, -1);
  read.require(a->max_steps > 0 || a->num_train_epochs > 0 || !a->do_train, "num_train_epochs", "over 0", "0");
  const std::string order = read.text("train_sampling_strategy");
  a->group_by_length = order == "group_by_length" || read.boolean("group_by_length", false);
  a->shuffle = order != "sequential";
  a->drop_last = read.boolean("dataloader_drop_last", false);
  a->dataloader_num_workers = read.integer("dataloader_num_workers", 0, 1);
  a->seed = static_cast<uint64_t>(read.integer("seed", 0, 42));
  a->data_seed = config.is_set("data_seed") ? static_cast<uint64_t>(read.integer("data_seed", 0, 0)) : a->seed;
}

void read_bookkeeping(const Config& config, const Reader& read, TrainArguments* a) {
  a->logging_strategy = interval_named(read.text("logging_strategy"));
  a->eval_strategy = interval_named(read.text("eval_strategy"));
  a->save_strategy = interval_named(read.text("save_strategy"));
  constexpr double kLeast = 1e-9;
  a->logging_steps = read.real("logging_steps", kLeast, HUGE_VAL);
  a->eval_steps = config.is_set("eval_steps") ? read.real("eval_steps", kLeast, HUGE_VAL) : a->logging_steps;
  a->save_steps = read.real("save_steps", kLeast, HUGE_VAL);
  a->eval_delay = read.real("eval_delay", 0, HUGE_VAL);
  a->logging_first_step = read.boolean("logging_first_step", false);
  a->eval_on_start = read.boolean("eval_on_start", false);
  a->save_only_model = read.boolean("save_only_model", false);
  a->save_total_limit = read.integer("save_total_limit", 1, 0);
  a->load_best_model_at_end = read.boolean("load_best_model_at_end", false);
  a->metric_for_best_model = read.text("metric_for_best_model");
  if (a->metric_for_best_model.starts_with("eval_")) a->metric_for_best_model.erase(0, 5);
  a->early_stopping_patience = read.integer("early_stopping_patience", 0, 0);
  a->early_stopping_threshold = read.real("early_stopping_threshold", 0, HUGE_VAL);
  const bool wants_best =
      a->load_best_model_at_end || a->early_stopping_patience > 0 || a->save_strategy == Interval::best;
  if (a->metric_for_best_model.empty() && wants_best) a->metric_for_best_model = "loss";
  a->greater_is_better = read.boolean("greater_is_better", rises(a->metric_for_best_model));
  a->resume_from_checkpoint = read.text("resume_from_checkpoint");
  if (a->resume_from_checkpoint == "false") a->resume_from_checkpoint.clear();
  a->logging_dir = read.text("logging_dir");
  for (const std::string& place : config.get_list("report_to")) {
    const bool known = place == "tensorboard" || place == "all" || place == "none";
    read.require(known, "report_to", "tensorboard, all or none", place);
    a->tensorboard = a->tensorboard || place == "tensorboard" || place == "all";
  }
  a->disable_tqdm = read.boolean("disable_tqdm", false);
  a->run_name = read.text("run_name");
  a->preempt_exit_code = read.integer("preempt_exit_code", 0, -1);

  if (!a->do_train) return;
  if (wants_best) {
    const char* cause = a->load_best_model_at_end        ? "load_best_model_at_end"
                        : a->early_stopping_patience > 0 ? "early_stopping_patience"
                                                         : "save_strategy";
    read.require(a->eval_strategy != Interval::no, cause, "used with an eval_strategy of steps or epoch", "no");
  }
  if (a->eval_strategy != Interval::no) {
    read.require(!a->validation_file.empty() || a->validation_split > 0, "eval_strategy",
                 "no without a validation_file or a validation_split", read.text("eval_strategy"));
  }
  if (a->load_best_model_at_end && a->save_strategy != Interval::best) {
    read.require(a->save_strategy == a->eval_strategy, "load_best_model_at_end",
                 "used with equal save_strategy and eval_strategy, so that the best model is on disk",
                 concat(read.text("save_strategy"), " and ", read.text("eval_strategy")));
    const bool multiple = a->eval_strategy != Interval::steps ||
                          std::abs(std::remainder(a->save_steps, a->eval_steps)) < 1e-9 * a->save_steps;
    read.require(multiple, "load_best_model_at_end", "used with save_steps a multiple of eval_steps",
                 concat(a->save_steps, " and ", a->eval_steps));
  }
}

}  // namespace

TrainArguments train_arguments(const Config& config) {
  const Reader read(config);
  TrainArguments arguments;
  read_data_arguments(config, read, &arguments);
  read_batches(config, read, &arguments);
  read_optimizer(config, read, &arguments);
  read_table_arguments(config, read, &arguments);
  read_image_arguments(config, read, &arguments);
  read.require(
      arguments.label_smoothing_factor == 0 || (arguments.focal_loss_gamma == 0 && arguments.class_weight == "none"),
      "label_smoothing_factor", "0 beside class_weight or focal_loss_gamma", concat(arguments.label_smoothing_factor));
  read_bookkeeping(config, read, &arguments);
  return arguments;
}

int64_t resolve_steps(double value, int64_t max_steps) {
  return static_cast<int64_t>(value < 1 ? std::ceil(value * static_cast<double>(max_steps)) : value);
}

}  // namespace suanli
