#include "train/arguments.h"

#include <algorithm>
#include <cmath>

#include "train/option_reader.h"

namespace suanli {
namespace {

Interval interval_named(const std::string& name) {
  if (name == "no") return Interval::no;
  if (name == "epoch") return Interval::epoch;
  return name == "best" ? Interval::best : Interval::steps;
}

/// Losses and errors fall, everything else rises.
bool rises(const std::string& metric) {
  for (const char* falling : {"loss", "mse", "mae", "perplexity", "brier", "error", "distance"}) {
    if (metric.ends_with(falling)) return false;
  }
  return true;
}

void read_optimizer(const Config& config, const OptionReader& read, TrainArguments* a) {
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
  a->ddp_timeout = read.real("ddp_timeout", 0.001, HUGE_VAL);
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
  a->allow_atomics = read.boolean("allow_atomics", false);
  a->bf16_stochastic_round = read.boolean("bf16_stochastic_round", false);
  read.require(!a->bf16_stochastic_round || a->precision == Precision::bf16, "bf16_stochastic_round",
               "false unless precision is bf16", "true");
  read.require(!a->bf16_stochastic_round || a->optimizer == "adamw", "bf16_stochastic_round",
               "false unless optim is adamw", "true");
  a->gradient_checkpointing = read.boolean("gradient_checkpointing", false);
  a->cuda_graphs = read.boolean("cuda_graphs", true);
  a->max_nan_steps = read.integer("max_nan_steps", 1, 20);
}

void read_lora(const Config& config, const OptionReader& read, TrainArguments* a) {
  if (!read.boolean("use_peft", false)) {
    for (const char* name : {"lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "use_rslora"}) {
      read.require(!config.is_given(name), name, "left out without use_peft", "a value");
    }
    return;
  }
  read.require(!a->model_name_or_path.empty(), "use_peft", "false without a model_name_or_path", "true");
  read.require(a->ewc_lambda == 0, "use_peft", "false beside ewc_lambda", "true");
  a->lora = LoraConfig{.r = read.integer("lora_r", 1, 16),
                       .lora_alpha = read.real("lora_alpha", 0, HUGE_VAL),
                       .lora_dropout = read.real("lora_dropout", 0, 0.999),
                       .use_rslora = read.boolean("use_rslora", false),
                       .target_modules = config.get_list("lora_target_modules")};
}

void read_batches(const Config& config, const OptionReader& read, TrainArguments* a) {
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

void read_bookkeeping(const Config& config, const OptionReader& read, TrainArguments* a) {
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
  a->energy_prices = read.text("energy_prices");
  a->preempt_exit_code = read.integer("preempt_exit_code", 0, -1);

  if (!a->do_train) return;
  if (wants_best) {
    const char* cause = a->load_best_model_at_end        ? "load_best_model_at_end"
                        : a->early_stopping_patience > 0 ? "early_stopping_patience"
                                                         : "save_strategy";
    read.require(a->eval_strategy != Interval::no, cause, "used with an eval_strategy of steps or epoch", "no");
  }
  if (a->eval_strategy != Interval::no) {
    read.require(!a->validation_file.empty() || a->validation_split > 0 || a->leaves_last_out(), "eval_strategy",
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
  const OptionReader read(config);
  TrainArguments arguments;
  read_data_arguments(config, read, &arguments);
  read_batches(config, read, &arguments);
  read_optimizer(config, read, &arguments);
  read_lora(config, read, &arguments);
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
