#include "train/run.h"

#include <algorithm>
#include <cstdio>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "formats/sentence_files.h"
#include "kernels/tf32.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/manifest.h"
#include "train/signals.h"
#include "train/trainer.h"

namespace suanli {
namespace {

/// Everything a run works on, in the order in which it is made.
struct Run {
  TrainArguments arguments;
  TaskKind kind;
  RunData data;
  std::optional<Tokenizer> tokenizer;
  Device device;
  nn::InferencePrecision precision;
  int64_t max_length = 0;
  models::Model model;
  std::unique_ptr<Task> task;
  Dataset train, validation, test;

  ModelFiles files() const {
    return {.model = &model,
            .tokenizer = &*tokenizer,
            .sentence_embedding = kind.name == "sentence-similarity",
            .mean_pooling = arguments.pooling == "mean",
            .max_length = max_length};
  }
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += concat(text.empty() ? "" : ", ", name);
  return text;
}

/// The options as they hold, without those of other programs that were not given.
Json resolved(const Config& config) {
  Json all = config.to_json();
  for (const Option& option : config.table().options()) {
    if (option.no_effect && all[option.name].is_null()) all.erase(option.name);
  }
  return all;
}

/// config.json of the model, from its folder or from config_name.
Json model_config(const TrainArguments& a) {
  if (a.model_name_or_path.empty() && a.config_name.empty()) {
    throw UserError("model_name_or_path",
                    "expected the folder of a model (or config_name for random weights), got none");
  }
  std::filesystem::path file = a.config_name.empty() ? a.model_name_or_path : a.config_name;
  if (std::filesystem::is_directory(file)) file /= "config.json";
  return read_json(file);
}

Tokenizer load_tokenizer(const TrainArguments& a) {
  const std::string& folder = a.tokenizer_name.empty() ? a.model_name_or_path : a.tokenizer_name;
  if (folder.empty())
    throw UserError("tokenizer_name", "expected the folder of a tokenizer beside config_name, got none");
  return Tokenizer::load(folder);
}

nn::InferencePrecision resolve_precision(const TrainArguments& a, Device device) {
  // A resumed run computes as it did before, also where measuring the machine would now give another answer.
  if (a.precision == Precision::automatic && a.do_train) {
    if (const auto folder = checkpoint_to_resume(a.resume_from_checkpoint, a.output_dir)) {
      return {nn::precision_named(checkpoint_dtype(*folder), device)};
    }
  }
  constexpr const char* kNames[] = {"auto", "f32", "bf16", "f16", "int8"};
  return nn::inference_precision_named(kNames[static_cast<int>(a.precision)], device);
}

/// Tokens of a sequence: what was asked for or the task's default, within what model and tokenizer can do.
int64_t resolve_length(const TrainArguments& a, const TaskKind& kind, int64_t longest, int64_t tokenizer_longest) {
  const int64_t limit = tokenizer_longest > 0 ? std::min(longest, tokenizer_longest) : longest;
  const int64_t asked = a.max_seq_length > 0 ? a.max_seq_length : kind.default_length > 0 ? kind.default_length : limit;
  if (a.max_seq_length > limit) {
    log_warning(concat("max_seq_length ", a.max_seq_length, " is more than the model's ", limit, ", which is used"));
  }
  return std::min(asked, limit);
}

models::Model make_model(const Run& run, const Json& config_json, const LabelTable& labels) {
  const TrainArguments& a = run.arguments;
  models::ModelOptions options = {.head = run.kind.head,
                                  .labels = labels.names(),
                                  .problem_type = run.kind.problem_type,
                                  .seed = a.seed,
                                  .trainable = a.do_train,
                                  .matrix_dtype = a.do_train && a.bf16_stochastic_round ? DType::bf16 : DType::f32,
                                  .int8 = run.precision.int8,
                                  .device = run.device};
  if (run.kind.name == "regression") options.labels = {"LABEL_0"};
  if (a.model_name_or_path.empty()) {
    log_info("the model starts with random weights");
    return models::new_model(config_json, options);
  }
  models::Model model = models::load_model(a.model_name_or_path, options);
  if (!model.initialized.empty() && !a.do_train) {
    throw UserError(a.model_name_or_path, concat("expected a model trained for ", run.kind.name, ", missing ",
                                                 joined(model.initialized), "; train it first"));
  }
  if (!model.initialized.empty()) {
    log_info(concat("new parameters, not in ", a.model_name_or_path, ": ", joined(model.initialized)));
  }
  return model;
}

Run prepare(const Config& config, TrainArguments arguments) {
  initialize();
  Run run;
  run.arguments = std::move(arguments);
  TrainArguments& a = run.arguments;
  const Json config_json = model_config(a);
  run.kind = task_kind(a.task, a.problem_type, config_json);
  if (run.kind.name == "sentence-similarity" && !config.is_given("pooling") && !a.model_name_or_path.empty()) {
    const auto files = read_sentence_files(a.model_name_or_path);
    if (files) a.pooling = files->pooling == SentencePooling::cls ? "cls" : "mean";
  }
  run.tokenizer = load_tokenizer(a);
  run.data = read_data(a, run.kind.labels);
  const models::BertConfig model_config = models::bert_config(config_json, "config.json");
  const LabelTable labels = labels_of(run.data, run.kind.labels, model_config.labels);
  run.device = device_named(a.device);
  run.precision = resolve_precision(a, run.device);
  if (a.tf32 && run.device.type != DeviceType::cuda) {
    throw UserError("tf32", "expected device cuda, which has it, got " + run.device.text() + "; leave tf32 out there");
  }
  kernels::tf32_allowed = a.tf32;
  run.max_length = resolve_length(a, run.kind, model_config.longest_sequence(), run.tokenizer->model_max_length());
  run.model = make_model(run, config_json, labels);
  const int64_t block = std::min(a.block_size > 0 ? a.block_size : run.max_length, model_config.longest_sequence());
  run.task = make_task(run.kind, run.model, *run.tokenizer, labels,
                       {.max_length = run.max_length,
                        .label_smoothing = a.label_smoothing_factor,
                        .mlm_probability = a.mlm_probability,
                        .block_size = a.line_by_line ? 0 : block,
                        .seed = a.seed,
                        .mean_pooling = a.pooling == "mean"});
  if (a.do_train) run.train = make_dataset(*run.task, run.data.train, a.max_train_samples);
  if (!run.data.validation.examples.empty()) {
    run.validation = make_dataset(*run.task, run.data.validation, a.max_eval_samples);
  }
  if (a.do_predict) run.test = make_dataset(*run.task, run.data.test, a.max_predict_samples);
  run.data = {};
  return run;
}

void print_plan(const Run& run) {
  int64_t tokens = 0;
  for (const EncodedExample& row : run.train.rows) tokens += static_cast<int64_t>(row.ids.size());
  log_info(concat(run.kind.name, ": ", run.model.parameters->elements(), " parameters, ", run.device.text(), ", ",
                  run.precision.name(), ", ", run.train.rows.size(), " training rows (", tokens, " tokens), ",
                  run.validation.rows.size(), " for evaluation, ", run.test.rows.size(), " for prediction"));
}

void print_results(const std::string& split, const LogRecord& record, const std::string& report) {
  std::printf("***** %s metrics *****\n", split.c_str());
  size_t width = 0;
  for (const auto& [key, value] : record) width = std::max(width, key.size());
  for (const auto& [key, value] : record) std::printf("  %-*s = %.6g\n", static_cast<int>(width), key.c_str(), value);
  if (!report.empty()) std::printf("%s", report.c_str());
  std::fflush(stdout);
}

/// Scores a set, prints and, where `folder` is not empty, writes the results.
void score(const Run& run, const std::string& split, const Dataset& data, const std::filesystem::path& folder) {
  const bool keep = split == "predict";
  Evaluation evaluation = evaluate(*run.task, data, run.precision.dtype,
                                   {.batch_size = run.arguments.eval_batch, .keep_predictions = keep, .stop = {}});
  LogRecord record = evaluation_record(split, evaluation);
  record.emplace_back(concat(split, "_samples"), static_cast<double>(evaluation.samples));
  print_results(split, record, evaluation.report);
  if (folder.empty()) return;
  write_results(folder, split, record);
  if (evaluation.predictions.empty()) return;
  std::string lines = "index\tprediction\n";
  for (const auto& [row, text] : evaluation.predictions) lines += concat(row, "\t", text, "\n");
  write_file_atomically(folder / "predict_results.txt", lines);
}

/// Trains and saves; returns the exit code.
int train(Run& run, const Config& config) {
  const TrainArguments& a = run.arguments;
  std::filesystem::create_directories(a.output_dir);
  const Json manifest = run_manifest(resolved(config), {{"model", a.model_name_or_path},
                                                        {"config", a.config_name},
                                                        {"tokenizer", a.tokenizer_name},
                                                        {"train_file", a.train_file},
                                                        {"validation_file", a.validation_file},
                                                        {"test_file", a.test_file}});
  write_file_atomically(a.output_dir / "run_manifest.json", json_text(manifest));
  Trainer trainer({.arguments = &a,
                   .task = run.task.get(),
                   .files = run.files(),
                   .train = &run.train,
                   .evaluation = run.validation.rows.empty() ? nullptr : &run.validation,
                   .dtype = run.precision.dtype,
                   .device = run.device,
                   .configuration = resolved(config)});
  const TrainResult result = trainer.train();
  if (result.outcome == Outcome::interrupted) {
    log_warning(concat("stopped by signal ", result.signal, " after step ", result.state.global_step,
                       "; go on with resume_from_checkpoint=true"));
    return a.preempt_exit_code >= 0 ? static_cast<int>(a.preempt_exit_code) : 128 + result.signal;
  }
  write_file_atomically(a.output_dir / "trainer_state.json", json_text(to_json(result.state)));
  if (result.outcome == Outcome::not_finite) {
    log_error(concat("stopped: ", result.state.skipped_in_a_row,
                     " steps in a row were not finite; the last checkpoint "
                     "stands; try a smaller learning_rate, or check the data"));
    return kNotFiniteExitCode;
  }
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
  TrainArguments arguments = train_arguments(config);
  if (arguments.do_train && arguments.precision == Precision::int8) {
    throw UserError(
        "precision",
        "expected auto, f32, bf16 or f16 for training, got int8, which is for inference: train first, then use "
        "int8 with `suanli eval`, `predict` or `embed`");
  }
  Run run = prepare(config, std::move(arguments));
  const TrainArguments& a = run.arguments;
  if (!a.do_train && !a.do_eval && !a.do_predict) {
    throw UserError("train", "expected something to do: a train_file, or do_eval or do_predict with their files");
  }
  print_plan(run);
  if (config.get_bool("dry_run")) return 0;
  if (a.do_train) {
    if (const int code = train(run, config); code != 0) return code;
  }
  std::filesystem::create_directories(a.output_dir);
  if (a.do_eval) score(run, "eval", run.validation, a.output_dir);
  if (a.do_predict) score(run, "predict", run.test, a.output_dir);
  return 0;
}

int run_evaluation(const Config& config) {
  TrainArguments arguments = train_arguments(config);
  arguments.do_train = arguments.do_predict = false;
  arguments.do_eval = true;
  if (arguments.validation_file.empty()) arguments.validation_file = arguments.test_file;
  if (arguments.validation_file.empty()) throw UserError("eval", "expected a validation_file, got none");
  Run run = prepare(config, std::move(arguments));
  print_plan(run);
  if (config.get_bool("dry_run")) return 0;
  const bool writes = config.is_given("output_dir");
  if (writes) std::filesystem::create_directories(run.arguments.output_dir);
  score(run, "eval", run.validation, writes ? run.arguments.output_dir : std::filesystem::path());
  return 0;
}

}  // namespace suanli
