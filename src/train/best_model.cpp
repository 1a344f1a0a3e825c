#include "train/best_model.h"

#include <cmath>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

bool judge(const Scores& scores, const TrainArguments& arguments, TrainerState* state) {
  const double* score = find_score(scores, arguments.metric_for_best_model);
  if (score == nullptr) {
    std::string names;
    for (const auto& [name, value] : scores) names += concat(names.empty() ? "" : ", ", name);
    throw UserError("metric_for_best_model",
                    concat("expected one of ", names, "; got ", arguments.metric_for_best_model));
  }
  const double direction = arguments.greater_is_better ? 1 : -1;
  const double gain = state->best_metric ? direction * (*score - *state->best_metric) : HUGE_VAL;
  const bool better = !std::isnan(*score) && gain > 0;
  const bool progress = better && gain > arguments.early_stopping_threshold;
  state->evaluations_without_progress = progress ? 0 : state->evaluations_without_progress + 1;
  if (better) {
    state->best_metric = *score;
    state->best_global_step = state->global_step;
  }
  return better;
}

}  // namespace suanli
