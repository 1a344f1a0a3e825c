/// trainer_state.json: where a run stands, with the keys that Hugging Face's trainer writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "optim/loss_scaler.h"

namespace suanli {

struct TrainerState {
  int64_t global_step = 0;  ///< optimizer steps done, those skipped for NaN included
  int64_t max_steps = 0;
  double epoch = 0;  ///< passes done, with the share of the one under way
  int64_t num_train_epochs = 0;
  int64_t logging_steps = 0, eval_steps = 0, save_steps = 0;
  int64_t train_batch_size = 0;
  int64_t num_input_tokens_seen = 0;
  double total_flos = 0;
  std::optional<double> best_metric;
  std::optional<int64_t> best_global_step;
  std::string best_model_checkpoint;         ///< empty: none
  int64_t evaluations_without_progress = 0;  ///< of early stopping
  int64_t early_stopping_patience = 0;
  double early_stopping_threshold = 0;
  int64_t skipped_steps = 0, skipped_in_a_row = 0;  ///< loss or gradient not finite
  std::optional<optim::LossScaler> scaler;          ///< of a run in f16
  int64_t overflow_steps = 0;                       ///< left out because a scaled gradient overflowed
  // Sums that a log record shows: of the losses since the last one, of all losses.
  double loss_since_log = 0, loss_in_all = 0;
  int64_t steps_since_log = 0, steps_in_all = 0;  ///< steps with a loss
  int64_t logged_step = 0, evaluated_step = -1;   ///< the last ones
  double seconds = 0;                             ///< of training, earlier parts of a resumed run included
  Json log_history = Json::array();
};

Json to_json(const TrainerState& state);
/// Throws UserError naming the key that is missing or of another type.
TrainerState trainer_state(const Json& json, const std::string& where);

/// Sorted keys, `indent` spaces, a newline at the end; numbers that are not finite become null.
std::string json_text(const Json& json, int indent = 2);

}  // namespace suanli
