#include "train/prepare.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "kernels/atomics.h"
#include "kernels/tf32.h"
#include "ops/initialize.h"
#include "train/continual.h"
#include "train/ignored_options.h"

namespace suanli {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += concat(text.empty() ? "" : ", ", name);
  return text;
}

/// config.json of the model, from its folder or from config_name.
Json model_config(const TrainArguments& a) {
  if (a.model_name_or_path.empty() && a.config_name.empty()) {
    throw UserError("model_name_or_path",
                    "expected the folder of a model (or config_name for random weights), got none");
  }
  std::filesystem::path file = a.config_name.empty() ? a.model_name_or_path : a.config_name;
  if (a.config_name.empty() && is_adapter_folder(file)) return models::model_json(file);
  if (std::filesystem::is_directory(file)) file /= "config.json";
  return read_json(file);
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

}  // namespace

models::Model make_model(const Run& run, const Json& model_json, const std::vector<std::string>& labels) {
  const TrainArguments& a = run.arguments;
  const models::ModelOptions options = {
      .head = run.kind.head,
      .labels = labels,
      .problem_type = run.kind.problem_type,
      .keep_labels = a.continues,
      .seed = a.seed,
      .trainable = a.do_train,
      .lora = a.do_train ? a.lora : std::nullopt,
      .matrix_dtype = a.do_train && a.bf16_stochastic_round ? DType::bf16 : DType::f32,
      .int8 = run.precision.int8,
      .device = run.device};
  if (a.model_name_or_path.empty()) {
    log_info("the model starts with random weights");
    return models::new_model(model_json, options);
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

std::string chosen_loss(const TrainArguments& arguments, std::initializer_list<const char*> losses) {
  const std::string& name = arguments.loss;
  if (name.empty()) return *losses.begin();
  if (std::ranges::find(losses, name) == losses.end()) {
    throw UserError("loss", concat("expected one of ", joined({losses.begin(), losses.end()}), ", got ", name));
  }
  return name;
}

void make_datasets(const RunData& data, const CacheKey& key, Run& run) {
  const TrainArguments& a = run.arguments;
  const DatasetCache kept = {a.dataset_cache_dir, key};
  const DatasetCache* cache = a.dataset_cache_dir.empty() ? nullptr : &kept;
  if (a.do_train) run.train = make_dataset(*run.task, data.train, a.max_train_samples, cache);
  if (!data.validation.examples.empty()) {
    run.validation = make_dataset(*run.task, data.validation, a.max_eval_samples, cache);
  }
  if (!data.old_validation.examples.empty()) {
    run.old_validation = make_dataset(*run.task, data.old_validation, a.max_eval_samples, cache);
  }
  if (!data.replay.examples.empty()) {
    run.old = make_dataset(*run.task, data.replay, -1, cache);
    mix_in(run.train, run.old, a.replay_ratio, a.data_seed);
  }
  if (a.do_predict) run.test = make_dataset(*run.task, data.test, a.max_predict_samples, cache);
}

void prepare(const Config& config, Run& run) {
  initialize();
  const TrainArguments& a = run.arguments;
  const bool follows = a.task == "forecasting" || a.task == "recommendation" || a.task.starts_with("tabular-");
  // A new model of these follows from data and options.
  const Json model_json = follows && a.model_name_or_path.empty() ? Json::object() : model_config(a);
  run.kind = task_kind(a.task, a.problem_type, model_json);
  refuse_ignored_options(config, run.kind);
  run.device = device_named(a.device);
  run.precision = resolve_precision(a, run.device);
  for (const auto& [option, wanted] : {std::pair{"tf32", a.tf32}, {"allow_atomics", a.allow_atomics}}) {
    if (!wanted || run.device.type == DeviceType::cuda) continue;
    throw UserError(option, concat("expected device cuda, which has it, got ", run.device.text(), "; leave ", option,
                                   " out there"));
  }
  kernels::tf32_allowed = a.tf32;
  kernels::atomics_allowed = a.allow_atomics;
  switch (run.kind.input) {
    case Input::generated_image:
      return prepare_generated_image(model_json, run);
    case Input::image:
      return prepare_image(model_json, run);
    case Input::boxed_image:
      return prepare_boxed_image(model_json, run);
    case Input::keypoint_image:
      return prepare_key_points(model_json, run);
    case Input::masked_image:
      return prepare_masked_image(model_json, run);
    case Input::plain_image:
      return prepare_super_resolution(model_json, run);
    case Input::question:
      return prepare_questions(model_json, run);
    case Input::interactions:
      return prepare_interactions(model_json, run);
    case Input::series:
      return prepare_series(model_json, run);
    case Input::table:
      return prepare_table(model_json, run);
    case Input::text:
      return prepare_text(config, model_json, run);
  }
}

}  // namespace suanli
