#include "train/step_count.h"

#include <cmath>

#include "base/concat.h"
#include "base/log.h"

namespace suanli {

namespace {

/// Floating-point operations of forward and backward: 6 for each token and parameter but the embeddings (Kaplan et al.
/// 2020), as Hugging Face's trainer estimates them.
double operations(const models::Model& model, int64_t tokens) {
  int64_t parameters = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    if (!parameter.name.starts_with("embeddings.")) parameters += parameter.value.elements();
  }
  return 6.0 * static_cast<double>(parameters) * static_cast<double>(tokens);
}

}  // namespace

void count_step(const StepResult& result, const models::Model& model, double learning_rate, int64_t max_nan_steps,
                TrainerState* state) {
  TrainerState& s = *state;
  ++s.global_step;
  s.num_input_tokens_seen += result.tokens;
  s.total_flos += operations(model, result.tokens);
  const bool overflow = s.scaler && s.scaler->scale > optim::LossScaler::kFloor && !result.not_finite.empty() &&
                        std::isfinite(result.loss);
  if (s.scaler && result.items > 0) s.scaler->update(!result.not_finite.empty());
  if (overflow) {
    ++s.overflow_steps;
    log_info(concat("step ", s.global_step, ": the gradient of ", result.not_finite,
                    " overflowed; weights unchanged, the loss scale is now ", s.scaler->scale));
  } else if (!result.not_finite.empty()) {
    ++s.skipped_steps;
    ++s.skipped_in_a_row;
    log_warning(concat("step ", s.global_step, ": ", result.not_finite,
                       " is not finite; weights unchanged (learning rate ", learning_rate, ", ", s.skipped_in_a_row,
                       " in a row, at most ", max_nan_steps, ")"));
  } else if (result.items > 0) {
    s.skipped_in_a_row = 0;
  }
  if (result.items > 0 && (overflow || result.not_finite.empty())) {
    for (double* sum : {&s.loss_since_log, &s.loss_in_all}) *sum += result.loss;
    for (int64_t* steps : {&s.steps_since_log, &s.steps_in_all}) ++*steps;
  }
}

}  // namespace suanli
