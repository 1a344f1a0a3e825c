#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "base/profile.h"
#include "formats/checkpoint.h"
#include "formats/model_folder.h"
#include "train/best_model.h"
#include "train/same_run.h"
#include "train/step_count.h"

namespace suanli {
namespace {

SamplingStrategy sampling(const TrainArguments& arguments) {
  if (arguments.group_by_length) return SamplingStrategy::group_by_length;
  return arguments.shuffle ? SamplingStrategy::random : SamplingStrategy::sequential;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const TrainArguments& a, const models::Model& model) {
  if (a.optimizer == "sgd") {
    return optim::sgd(model.parameters->trained(), {.momentum = a.momentum, .weight_decay = a.weight_decay});
  }
  return optim::adamw(model.parameters->trained(), {.beta1 = a.adam_beta1,
                                                    .beta2 = a.adam_beta2,
                                                    .epsilon = a.adam_epsilon,
                                                    .weight_decay = a.weight_decay,
                                                    .seed = a.seed});
}

}  // namespace

Trainer::Trainer(TrainerParts parts) : parts_(std::move(parts)), arguments_(*parts_.arguments) {
  const TrainArguments& a = arguments_;
  const auto rows = static_cast<int64_t>(parts_.train->rows.size());
  batch_ = a.train_batch * (parts_.ranks == nullptr ? 1 : parts_.ranks->size());
  batches_per_epoch_ =
      Sampler(SamplingStrategy::sequential, rows, batch_, a.data_seed, a.drop_last).batches_per_epoch();
  const int64_t steps_per_epoch =
      (batches_per_epoch_ + a.gradient_accumulation_steps - 1) / a.gradient_accumulation_steps;
  state_.max_steps = a.max_steps > 0
                         ? a.max_steps
                         : static_cast<int64_t>(std::ceil(a.num_train_epochs * static_cast<double>(steps_per_epoch)));
  epochs_ = (state_.max_steps + steps_per_epoch - 1) / steps_per_epoch;
  state_.num_train_epochs = epochs_;
  state_.logging_steps = resolve_steps(a.logging_steps, state_.max_steps);
  state_.eval_steps = resolve_steps(a.eval_steps, state_.max_steps);
  state_.save_steps = resolve_steps(a.save_steps, state_.max_steps);
  state_.train_batch_size = a.train_batch;
  state_.early_stopping_patience = a.early_stopping_patience;
  state_.early_stopping_threshold = a.early_stopping_threshold;

  schedule_ = {.kind = a.lr_scheduler_type,
               .peak = a.learning_rate,
               .warmup = resolve_steps(a.warmup_steps, state_.max_steps),
               .total = state_.max_steps,
               .end = a.lr_end,
               .power = a.lr_power,
               .cycles = a.lr_cycles};
  if (parts_.dtype == DType::f16) state_.scaler.emplace();
  optimizer_ = make_optimizer(a, *parts_.files.model);
  parts_.files.model->network->set_gradient_checkpointing(a.gradient_checkpointing);
  if (a.cuda_graphs && parts_.device != Device{} && parts_.ranks == nullptr)
    graphs_ = std::make_unique<StepGraphs>(*parts_.files.model);
  position_ = {.data = {},
               .seed = a.seed,
               .data_seed = a.data_seed,
               .train_rows = rows,
               .batch_size = batch_,
               .accumulation = a.gradient_accumulation_steps,
               .group_by_length = a.group_by_length,
               .shuffle = a.shuffle,
               .drop_last = a.drop_last,
               .dtype = name_of(parts_.dtype)};
}

void Trainer::resume() {
  const auto folder = checkpoint_to_resume(arguments_.resume_from_checkpoint, arguments_.output_dir);
  if (!folder) return;
  const Resumed resumed = load_checkpoint(*folder, position_, *parts_.files.model, *optimizer_);
  const TrainerState planned = state_;
  state_ = resumed.state;
  // What the arguments say now holds for the rest of the run.
  state_.max_steps = planned.max_steps;
  state_.num_train_epochs = planned.num_train_epochs;
  state_.logging_steps = planned.logging_steps;
  state_.eval_steps = planned.eval_steps;
  state_.save_steps = planned.save_steps;
  state_.train_batch_size = planned.train_batch_size;
  state_.early_stopping_patience = planned.early_stopping_patience;
  state_.early_stopping_threshold = planned.early_stopping_threshold;
  position_.data = resumed.data;
  seconds_before_ = logged_seconds_ = state_.seconds;
  log_info(concat("resumed from ", *folder, ": step ", state_.global_step, " of ", state_.max_steps));
}

TrainResult Trainer::train() {
  const SignalWatch signals;
  std::filesystem::create_directories(arguments_.output_dir);
  resume();
  if (parts_.ranks != nullptr) begin_same_run(*parts_.ranks, position_, state_, *parts_.files.model->parameters);
  const Dataset& data = *parts_.train;
  const auto rows = static_cast<int64_t>(data.rows.size());
  Sampler sampler(sampling(arguments_), rows, batch_, arguments_.data_seed, arguments_.drop_last,
                  arguments_.group_by_length ? data.lengths() : std::vector<int64_t>());
  if (parts_.ranks != nullptr) sampler.take_part(parts_.ranks->rank(), parts_.ranks->size());
  loader_ = std::make_unique<Loader>(
      std::move(sampler),
      [this, &data](int64_t row, int64_t epoch) {
        return parts_.task->draw(data.rows[static_cast<size_t>(row)], epoch);
      },
      position_.data, epochs_, 4, arguments_.dataloader_num_workers);
  const auto events = !arguments_.tensorboard          ? std::filesystem::path()
                      : arguments_.logging_dir.empty() ? default_logging_dir(arguments_.output_dir)
                                                       : arguments_.logging_dir;
  if (leads()) {
    log_ = std::make_unique<RunLog>(RunLogOptions{.output_dir = arguments_.output_dir,
                                                  .events = events,
                                                  .show_progress = !arguments_.disable_tqdm,
                                                  .first_step = state_.global_step,
                                                  .last_step = state_.max_steps},
                                    state_.log_history);
    log_->text("args", concat("```\n", parts_.configuration.dump(2), "\n```"));
  }
  start_ = seconds_now();

  TrainResult result;
  if (state_.global_step > 0) after_step(position_.data.batch == 0);  // what a signal cut off
  if (state_.global_step == 0 && arguments_.eval_on_start && parts_.evaluation != nullptr && leads()) evaluate();
  while (state_.global_step < state_.max_steps && !ends()) {
    last_rate_ = schedule_.learning_rate(state_.global_step);
    last_ = step();
    count(last_);
    if (state_.skipped_in_a_row >= arguments_.max_nan_steps) {
      result.outcome = Outcome::not_finite;
      break;
    }
    after_step(position_.data.batch == 0);
  }
  if (result.outcome != Outcome::not_finite && state_.global_step < state_.max_steps) {
    result.outcome = stop_ ? Outcome::stopped_early : Outcome::interrupted;
  }
  result.signal = result.outcome == Outcome::interrupted ? signal_ : 0;
  if (parts_.ranks != nullptr) parts_.ranks->gather(std::vector<int64_t>{0});  // none leaves before all are done
  if (leads()) end(&result);
  result.state = state_;
  return result;
}

void Trainer::end(TrainResult* result) {
  if (result->outcome == Outcome::interrupted) {
    if (dirty_) save();
  } else if (result->outcome != Outcome::not_finite && arguments_.load_best_model_at_end) {
    load_best();
  }
  result->metrics = summary();
  if (result->outcome != Outcome::interrupted) log_->record(state_.global_step, result->metrics);
  state_.log_history = log_->history();
}

bool Trainer::ends() {
  signal_ = SignalWatch::received();
  if (parts_.ranks == nullptr) return stop_ || signal_ != 0;
  const std::vector<int64_t> all = parts_.ranks->gather(std::vector<int64_t>{stop_ ? 1 : 0, signal_});
  for (size_t i = 0; i < all.size(); i += 2) {
    stop_ = stop_ || all[i] != 0;
    if (signal_ == 0) signal_ = static_cast<int>(all[i + 1]);
  }
  return stop_ || signal_ != 0;
}

StepResult Trainer::step() {
  const ProfileScope scope("step");
  const auto first = static_cast<uint32_t>(position_.data.epoch * batches_per_epoch_ + position_.data.batch);
  std::vector<Batch> micro_batches;
  const auto take = [&] {
    const ProfileScope waiting("data");
    const bool there = loader_->next(&micro_batches.emplace_back());
    SUANLI_ASSERT(there);  // max_steps ends the run before the loader does
  };
  take();
  // The last group of an epoch may be short: a step never spans two epochs.
  while (loader_->position().epoch == position_.data.epoch &&
         static_cast<int64_t>(micro_batches.size()) < arguments_.gradient_accumulation_steps) {
    take();
  }
  position_.data = loader_->position();
  return train_step(*parts_.task, micro_batches, *parts_.files.model, *optimizer_,
                    {.learning_rate = last_rate_,
                     .max_grad_norm = arguments_.max_grad_norm,
                     .loss_scale = state_.scaler ? state_.scaler->scale : 1,
                     .dtype = parts_.dtype,
                     .seed = arguments_.seed,
                     .penalty = parts_.penalty,
                     .first_micro_step = first,
                     .ranks = parts_.ranks},
                    graphs_.get());
}

void Trainer::count(const StepResult& result) {
  dirty_ = true;
  count_step(result, *parts_.files.model, last_rate_, arguments_.max_nan_steps, &state_);
  state_.epoch = epoch();
  state_.seconds = seconds_before_ + seconds_now() - start_;
  tokens_since_log_ += result.tokens;
  if (leads()) log_->progress(state_.global_step);
}

void Trainer::after_step(bool epoch_ended) {
  if (!leads()) return;
  const int64_t step = state_.global_step;
  const bool first = step == 1 && arguments_.logging_first_step;
  if (state_.logged_step < step && (first || due(arguments_.logging_strategy, arguments_.logging_steps, epoch_ended))) {
    log();
  }
  new_best_ = false;
  const double waited = arguments_.eval_strategy == Interval::epoch ? state_.epoch : static_cast<double>(step);
  if (parts_.evaluation != nullptr && state_.evaluated_step < step && waited >= arguments_.eval_delay &&
      due(arguments_.eval_strategy, arguments_.eval_steps, epoch_ended)) {
    evaluate();
  }
  const bool last = step >= state_.max_steps && arguments_.save_strategy == Interval::steps;
  const bool wanted = arguments_.save_strategy == Interval::best
                          ? new_best_
                          : due(arguments_.save_strategy, arguments_.save_steps, epoch_ended);
  if (dirty_ && (wanted || last)) save();
}

bool Trainer::due(Interval when, double every, bool epoch_ended) const {
  if (when == Interval::epoch) return epoch_ended || state_.global_step >= state_.max_steps;
  return when == Interval::steps && state_.global_step % resolve_steps(every, state_.max_steps) == 0;
}

void Trainer::log() {
  const double seconds = state_.seconds - logged_seconds_;
  LogRecord record = {{"loss", state_.loss_since_log / static_cast<double>(state_.steps_since_log)},
                      {"grad_norm", last_.gradient_norm},
                      {"learning_rate", last_rate_},
                      {"epoch", state_.epoch},
                      {"perf/tokens_per_second", static_cast<double>(tokens_since_log_) / seconds},
                      {"memory/peak_bytes", static_cast<double>(backend(parts_.device).statistics().peak_bytes)}};
  if (state_.skipped_steps > 0) record.emplace_back("skipped_steps", static_cast<double>(state_.skipped_steps));
  if (state_.scaler) {
    record.emplace_back("loss_scale", state_.scaler->scale);
    record.emplace_back("overflow_steps", static_cast<double>(state_.overflow_steps));
  }
  state_.loss_since_log = 0;
  state_.steps_since_log = 0;
  state_.logged_step = state_.global_step;
  logged_seconds_ = state_.seconds;
  tokens_since_log_ = 0;
  log_->record(state_.global_step, record);
}

void Trainer::evaluate() {
  const Evaluation evaluation =
      suanli::evaluate(*parts_.task, *parts_.evaluation, parts_.dtype,
                       {.batch_size = arguments_.eval_batch, .workers = arguments_.dataloader_num_workers, .stop = [] {
                          return interrupted();
                        }});
  if (!evaluation.complete) return;  // a signal: the resumed run evaluates this step
  state_.evaluated_step = state_.global_step;
  LogRecord record = evaluation_record("eval", evaluation);
  record.emplace_back("epoch", state_.epoch);
  log_->record(state_.global_step, record);
  dirty_ = true;
  if (arguments_.metric_for_best_model.empty()) return;
  new_best_ = judge(evaluation.scores, arguments_, &state_);
  stop_ = arguments_.early_stopping_patience > 0 &&
          state_.evaluations_without_progress >= arguments_.early_stopping_patience;
}

void Trainer::save() {
  const ProfileScope scope("checkpoint");
  dirty_ = false;
  const auto folder = arguments_.output_dir / concat("checkpoint-", state_.global_step);
  if (state_.best_global_step == state_.global_step) state_.best_model_checkpoint = folder.string();
  state_.log_history = log_->history();
  const bool whole = !arguments_.save_only_model || interrupted();
  save_checkpoint({.files = parts_.files,
                   .optimizer = whole ? optimizer_.get() : nullptr,
                   .state = state_,
                   .position = position_,
                   .schedule = schedule_,
                   .configuration = parts_.configuration},
                  arguments_.output_dir);
  if (arguments_.save_total_limit > 0) {
    apply_save_total_limit(arguments_.output_dir, arguments_.save_total_limit, state_.best_model_checkpoint);
  }
}

void Trainer::load_best() {
  if (state_.best_model_checkpoint.empty()) {
    log_warning("no evaluation gave a best model: the weights are those of the last step");
    return;
  }
  if (const auto fault = checkpoint_fault(state_.best_model_checkpoint)) {
    throw UserError(state_.best_model_checkpoint, concat("expected the best checkpoint to be whole: ", *fault));
  }
  const models::Model& model = *parts_.files.model;
  models::set_parameters(
      model, SafetensorsFile::open(std::filesystem::path(state_.best_model_checkpoint) / models::weights_file(model)));
  log_info(concat("loaded the best model, ", state_.best_model_checkpoint, " (", arguments_.metric_for_best_model, " ",
                  state_.best_metric.value_or(NAN), ")"));
}

LogRecord Trainer::summary() const {
  const double seconds = state_.seconds, samples = state_.epoch * static_cast<double>(parts_.train->rows.size());
  return {{"train_runtime", seconds},
          {"train_samples_per_second", samples / seconds},
          {"train_steps_per_second", static_cast<double>(state_.global_step) / seconds},
          {"train_tokens_per_second", static_cast<double>(state_.num_input_tokens_seen) / seconds},
          {"train_wait_for_data", loader_->waited_seconds()},
          {"total_flos", state_.total_flos},
          {"train_loss", state_.loss_in_all / static_cast<double>(state_.steps_in_all)},
          {"epoch", state_.epoch}};
}

double Trainer::epoch() const {
  return static_cast<double>(position_.data.epoch) +
         static_cast<double>(position_.data.batch) / static_cast<double>(batches_per_epoch_);
}

}  // namespace suanli
