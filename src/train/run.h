/// A whole run: read the data, build the model, train, save, evaluate, predict.
#pragma once

#include <string>

#include "base/config.h"

namespace suanli {

/// Exit code of a run that ended because loss or gradients were not finite.
inline constexpr int kNotFiniteExitCode = 70;

/// Does what the options of train_options() say and returns the exit code: 0; kNotFiniteExitCode; 128 + n (or
/// preempt_exit_code) after signal n with a checkpoint saved. Writes into output_dir: the trained model as a Hugging
/// Face folder, checkpoint-<step>, metrics.jsonl, run_manifest.json (with the energy that it took), emissions.csv,
/// trainer_state.json, train_results.json, eval_results.json, predict_results.json and .txt, all_results.json,
/// eval_answers.csv, predict_answers.csv, of texts and tables baseline_profile.json (docs/monitoring.md), and of
/// pictures eval_pictures and predict_pictures. Prints results on standard output. With dry_run it reads and checks
/// everything, prints the plan and writes nothing. Where torchrun or mpirun started several processes, they train
/// together, and the first alone does the rest (docs/many-gpus.md). Throws UserError and EnvironmentError.
int run_training(const Config& config);

/// Evaluates model_name_or_path on validation_file and prints the scores; writes eval_results.json where output_dir is
/// given. Throws UserError when the model has no trained head for the task.
int run_evaluation(const Config& config);

}  // namespace suanli
