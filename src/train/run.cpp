#include "train/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "dist/communicator.h"
#include "dist/launch.h"
#include "ops/initialize.h"
#include "train/baseline_profile.h"
#include "train/continual.h"
#include "train/energy_account.h"
#include "train/manifest.h"
#include "train/prepare.h"
#include "train/scored_pictures.h"
#include "train/signals.h"
#include "train/trainer.h"

namespace suanli {
namespace {

/// The options as they hold, without those of other programs that were not given.
Json resolved(const Config& config) {
  Json all = config.to_json();
  for (const Option& option : config.table().options()) {
    if (option.no_effect && all[option.name].is_null()) all.erase(option.name);
  }
  return all;
}

void print_plan(const Run& run) {
  int64_t tokens = 0;
  for (const EncodedExample& row : run.train.rows) tokens += static_cast<int64_t>(row.ids.size());
  int64_t trained = 0;
  for (const nn::Parameter& parameter : run.model.parameters->trained()) trained += parameter.value.elements();
  const std::string part = run.model.adapter ? concat(" (", trained, " are trained)") : "";
  log_info(concat(run.kind.name, ": ", run.model.parameters->elements(), " parameters", part, ", ", run.device.text(),
                  ", ", run.precision.name(), ", ", run.train.rows.size(), " training rows",
                  tokens > 0 ? concat(" (", tokens, " tokens)") : "", ", ", run.validation.rows.size(),
                  " for evaluation, ", run.test.rows.size(), " for prediction"));
}

void print_results(const std::string& split, const LogRecord& record, const std::string& report) {
  std::printf("***** %s metrics *****\n", split.c_str());
  size_t width = 0;
  for (const auto& [key, value] : record) width = std::max(width, key.size());
  for (const auto& [key, value] : record) std::printf("  %-*s = %.6g\n", static_cast<int>(width), key.c_str(), value);
  if (!report.empty()) std::printf("%s", report.c_str());
  std::fflush(stdout);
}

/// Each process of a machine computes on a GPU of its own: that of its local rank, or the only one that it sees.
std::string device_of_rank(const dist::Launch& launch, const std::string& wanted) {
  if (wanted != "cuda" && wanted != "auto") {
    throw UserError("device",
                    concat("expected cuda for WORLD_SIZE=", launch.size, ", which gives each process the GPU ",
                           "of its local rank, got ", wanted, "; several processes train on GPUs alone"));
  }
  initialize();
  return concat("cuda:", device_count(DeviceType::cuda) == 1 ? 0 : launch.local_rank);
}

dist::Patience patience(const TrainArguments& a) {
  const auto answer = std::chrono::milliseconds(std::llround(1000 * std::min(a.ddp_timeout, 1e9)));
  return {.meeting = std::min(dist::Patience().meeting, answer), .answer = answer};
}

/// Scores a set, prints and, where `folder` is not empty, writes the results.
Evaluation score(const Run& run, const std::string& split, const Dataset& data, const std::filesystem::path& folder) {
  Evaluation evaluation = evaluate(*run.task, data, run.precision.dtype,
                                   {.batch_size = run.arguments.eval_batch,
                                    .keep_predictions = !folder.empty(),
                                    .workers = run.arguments.dataloader_num_workers});
  LogRecord record = evaluation_record(split, evaluation);
  record.emplace_back(concat(split, "_samples"), static_cast<double>(evaluation.samples));
  print_results(split, record, evaluation.report);
  if (folder.empty()) return evaluation;
  write_results(folder, split, record);
  if (!evaluation.answers.rows.empty()) write_answers(folder / concat(split, "_answers.csv"), evaluation.answers);
  if (!evaluation.pictures.empty()) write_pictures(folder / concat(split, "_pictures"), evaluation.pictures);
  if (split != "predict" || evaluation.predictions.empty()) return evaluation;
  std::string lines = "index\tprediction\n";
  for (const auto& [row, text] : evaluation.predictions) lines += concat(row, "\t", text, "\n");
  write_file_atomically(folder / "predict_results.txt", lines);
  return evaluation;
}

TrainResult run_trainer(Run& run, const Config& config, dist::Communicator* ranks) {
  std::optional<ElasticWeightConsolidation> held;
  if (run.arguments.ewc_lambda > 0) held.emplace(*run.task, run.model, run.old, run.arguments.ewc_lambda);
  Trainer trainer({.arguments = &run.arguments,
                   .task = run.task.get(),
                   .files = run.files(),
                   .train = &run.train,
                   .evaluation = run.validation.rows.empty() ? nullptr : &run.validation,
                   .penalty = held ? [&held] { return held->penalty(); } : std::function<Tensor()>(),
                   .dtype = run.precision.dtype,
                   .device = run.device,
                   .ranks = ranks,
                   .configuration = resolved(config)});
  return trainer.train();
}

int exit_code(const TrainResult& result, const TrainArguments& a) {
  if (result.outcome == Outcome::not_finite) return kNotFiniteExitCode;
  if (result.outcome != Outcome::interrupted) return 0;
  return a.preempt_exit_code >= 0 ? static_cast<int>(a.preempt_exit_code) : 128 + result.signal;
}

/// Trains and saves; returns the exit code. Of several ranks the first alone writes.
int train(Run& run, const Config& config, dist::Communicator* ranks) {
  const TrainArguments& a = run.arguments;
  if (ranks != nullptr && ranks->rank() > 0) return exit_code(run_trainer(run, config, ranks), a);
  std::filesystem::create_directories(a.output_dir);
  Json manifest = run_manifest(resolved(config), {{"model", a.model_name_or_path},
                                                  {"config", a.config_name},
                                                  {"tokenizer", a.tokenizer_name},
                                                  {"train_file", a.train_file},
                                                  {"items_file", a.items_file},
                                                  {"replay", a.replay},
                                                  {"old_validation_file", a.old_validation_file},
                                                  {"validation_file", a.validation_file},
                                                  {"test_file", a.test_file},
                                                  {"energy_prices", a.energy_prices}});
  manifest["computation"] = {{"task", run.kind.name},
                             {"parameters", run.model.parameters->elements()},
                             {"device", run.device.text()},
                             {"precision", run.precision.name()}};
  write_file_atomically(a.output_dir / "run_manifest.json", json_text(manifest));
  EnergyAccount energy(a, run.device);
  const TrainResult result = run_trainer(run, config, ranks);
  manifest["energy"] = energy.finish(manifest);
  write_file_atomically(a.output_dir / "run_manifest.json", json_text(manifest));
  if (result.outcome == Outcome::interrupted) {
    log_warning(concat("stopped by signal ", result.signal, " after step ", result.state.global_step,
                       "; go on with resume_from_checkpoint=true"));
    return exit_code(result, a);
  }
  write_file_atomically(a.output_dir / "trainer_state.json", json_text(to_json(result.state)));
  if (result.outcome == Outcome::not_finite) {
    log_error(concat("stopped: ", result.state.skipped_in_a_row,
                     " steps in a row were not finite; the last checkpoint "
                     "stands; try a smaller learning_rate, or check the data"));
    return exit_code(result, a);
  }
  if (run.after_training) run.after_training();
  save_trained_model(run.files(), a.output_dir);
  LogRecord metrics = result.metrics;
  metrics.emplace_back("train_samples", static_cast<double>(run.train.rows.size()));
  write_results(a.output_dir, "train", metrics);
  print_results("train", metrics, "");
  return 0;
}

}  // namespace

int run_training(const Config& config) {
  const FileSizeLimitFails a_full_disk_is_an_error;
  Run run;
  run.arguments = train_arguments(config);
  const TrainArguments& a = run.arguments;
  const dist::Launch launch = dist::launch_of_environment();
  const bool together = launch.size > 1 && a.do_train && !config.get_bool("dry_run");
  if (launch.rank > 0 && !together) return 0;  // the first does it alone
  if (a.do_train && a.precision == Precision::int8) {
    throw UserError(
        "precision",
        "expected auto, f32, bf16 or f16 for training, got int8, which is for inference: train first, then use "
        "int8 with `suanli eval`, `predict` or `embed`");
  }
  std::optional<dist::HostGroup> group;
  if (together) {
    run.arguments.device = device_of_rank(launch, a.device);
    group.emplace(launch, patience(a));
  }
  prepare(config, run);
  if (!a.do_train && !a.do_eval && !a.do_predict) {
    throw UserError("train", "expected something to do: a train_file, or do_eval or do_predict with their files");
  }
  print_plan(run);
  if (config.get_bool("dry_run")) return 0;
  if (a.do_train) {
    const auto ranks = group ? dist::make_communicator(*group, run.device) : nullptr;
    const int code = train(run, config, ranks.get());
    if (code != 0 || launch.rank > 0) return code;
  }
  std::filesystem::create_directories(a.output_dir);
  if (a.do_eval) {
    const Evaluation evaluation = score(run, "eval", run.validation, a.output_dir);
    if (!run.baseline.features().empty()) add_answers(run.kind, evaluation, &run.baseline);
  }
  if (run.kind.embeds && a.do_train) add_embeddings(*run.task, run.train, run.precision.dtype, &run.baseline);
  if (!run.baseline.features().empty()) run.baseline.save(a.output_dir / monitor::kBaselineProfile);
  if (a.do_eval && !run.old_validation.rows.empty()) score(run, "eval_old", run.old_validation, a.output_dir);
  if (a.do_predict) score(run, "predict", run.test, a.output_dir);
  return 0;
}

int run_evaluation(const Config& config) {
  Run run;
  TrainArguments& arguments = run.arguments;
  arguments = train_arguments(config);
  arguments.do_train = arguments.do_predict = false;
  arguments.do_eval = true;
  if (arguments.validation_file.empty()) arguments.validation_file = arguments.test_file;
  if (arguments.validation_file.empty()) throw UserError("eval", "expected a validation_file, got none");
  prepare(config, run);
  print_plan(run);
  if (config.get_bool("dry_run")) return 0;
  const bool writes = config.is_given("output_dir");
  if (writes) std::filesystem::create_directories(run.arguments.output_dir);
  const std::filesystem::path folder = writes ? run.arguments.output_dir : std::filesystem::path();
  score(run, "eval", run.validation, folder);
  if (!run.old_validation.rows.empty()) score(run, "eval_old", run.old_validation, folder);
  return 0;
}

}  // namespace suanli
