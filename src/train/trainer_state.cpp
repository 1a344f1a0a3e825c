#include "train/trainer_state.h"

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

/// `object[key]`, or `otherwise` where it is missing or null. Throws UserError unless it is of the kind of `otherwise`.
Json part(const Json& object, const char* key, const Json& otherwise, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  if (found->type() == otherwise.type()) return *found;
  throw UserError(where,
                  concat("expected ", key, " to be an ", otherwise.type_name(), ", found an ", found->type_name()));
}

}  // namespace

Json to_json(const TrainerState& s) {
  Json callbacks = Json::object();
  if (s.early_stopping_patience > 0) {
    callbacks["EarlyStoppingCallback"] = {
        {"args",
         {{"early_stopping_patience", s.early_stopping_patience},
          {"early_stopping_threshold", s.early_stopping_threshold}}},
        {"attributes", {{"early_stopping_patience_counter", s.evaluations_without_progress}}}};
  }
  callbacks["NotFiniteSteps"] = {{"attributes", {{"skipped", s.skipped_steps}, {"in_a_row", s.skipped_in_a_row}}}};
  if (s.scaler) {
    callbacks["GradScaler"] = {{"attributes",
                                {{"scale", s.scaler->scale},
                                 {"growth_tracker", s.scaler->growth_tracker},
                                 {"overflow_steps", s.overflow_steps}}}};
  }
  callbacks["RunningLoss"] = {{"attributes",
                               {{"loss_since_log", s.loss_since_log},
                                {"loss_in_all", s.loss_in_all},
                                {"steps_since_log", s.steps_since_log},
                                {"steps_in_all", s.steps_in_all},
                                {"logged_step", s.logged_step},
                                {"evaluated_step", s.evaluated_step},
                                {"seconds", s.seconds}}}};
  Json json = {{"best_global_step", nullptr},
               {"best_metric", nullptr},
               {"best_model_checkpoint", nullptr},
               {"epoch", s.epoch},
               {"eval_steps", s.eval_steps},
               {"global_step", s.global_step},
               {"is_hyper_param_search", false},
               {"is_local_process_zero", true},
               {"is_world_process_zero", true},
               {"log_history", s.log_history},
               {"logging_steps", s.logging_steps},
               {"max_steps", s.max_steps},
               {"num_input_tokens_seen", s.num_input_tokens_seen},
               {"num_train_epochs", s.num_train_epochs},
               {"save_steps", s.save_steps},
               {"stateful_callbacks", callbacks},
               {"total_flos", s.total_flos},
               {"train_batch_size", s.train_batch_size},
               {"trial_name", nullptr},
               {"trial_params", nullptr}};
  if (s.best_metric) json["best_metric"] = *s.best_metric;
  if (s.best_global_step) json["best_global_step"] = *s.best_global_step;
  if (!s.best_model_checkpoint.empty()) json["best_model_checkpoint"] = s.best_model_checkpoint;
  return json;
}

TrainerState trainer_state(const Json& json, const std::string& where) {
  TrainerState s;
  s.global_step = json_get<int64_t>(json, "global_step", where);
  s.max_steps = json_get<int64_t>(json, "max_steps", where);
  s.epoch = json_get<double>(json, "epoch", where);
  s.num_train_epochs = json_get<int64_t>(json, "num_train_epochs", where);
  s.logging_steps = json_get_or<int64_t>(json, "logging_steps", 0, where);
  s.eval_steps = json_get_or<int64_t>(json, "eval_steps", 0, where);
  s.save_steps = json_get_or<int64_t>(json, "save_steps", 0, where);
  s.train_batch_size = json_get_or<int64_t>(json, "train_batch_size", 0, where);
  s.num_input_tokens_seen = json_get_or<int64_t>(json, "num_input_tokens_seen", 0, where);
  s.total_flos = json_get_or<double>(json, "total_flos", 0, where);
  if (json.contains("best_metric") && !json["best_metric"].is_null()) {
    s.best_metric = json_get<double>(json, "best_metric", where);
  }
  if (json.contains("best_global_step") && !json["best_global_step"].is_null()) {
    s.best_global_step = json_get<int64_t>(json, "best_global_step", where);
  }
  s.best_model_checkpoint = json_get_or<std::string>(json, "best_model_checkpoint", "", where);
  s.log_history = part(json, "log_history", Json::array(), where);
  const Json callbacks = part(json, "stateful_callbacks", Json::object(), where);
  const auto attributes = [&](const char* callback) {
    const Json found = part(callbacks, callback, Json::object(), where);
    return part(found, "attributes", Json::object(), where);
  };
  const Json stopping = attributes("EarlyStoppingCallback"), not_finite = attributes("NotFiniteSteps");
  s.evaluations_without_progress = json_get_or<int64_t>(stopping, "early_stopping_patience_counter", 0, where);
  s.skipped_steps = json_get_or<int64_t>(not_finite, "skipped", 0, where);
  s.skipped_in_a_row = json_get_or<int64_t>(not_finite, "in_a_row", 0, where);
  if (callbacks.contains("GradScaler")) {
    const Json scaler = attributes("GradScaler");
    s.scaler = {.scale = json_get<double>(scaler, "scale", where),
                .growth_tracker = json_get<int64_t>(scaler, "growth_tracker", where)};
    s.overflow_steps = json_get<int64_t>(scaler, "overflow_steps", where);
  }
  const Json running = attributes("RunningLoss");
  s.loss_since_log = json_get_or<double>(running, "loss_since_log", 0, where);
  s.loss_in_all = json_get_or<double>(running, "loss_in_all", 0, where);
  s.steps_since_log = json_get_or<int64_t>(running, "steps_since_log", 0, where);
  s.steps_in_all = json_get_or<int64_t>(running, "steps_in_all", 0, where);
  s.logged_step = json_get_or<int64_t>(running, "logged_step", s.global_step, where);
  s.evaluated_step = json_get_or<int64_t>(running, "evaluated_step", s.global_step, where);
  s.seconds = json_get_or<double>(running, "seconds", 0, where);
  return s;
}

std::string json_text(const Json& json, int indent) { return json.dump(indent) + "\n"; }

}  // namespace suanli
