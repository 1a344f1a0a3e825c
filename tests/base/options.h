/// A small table of options with one of each kind, for the configuration tests.
#pragma once

#include "base/option.h"

namespace suanli {

inline const OptionTable& test_options() {
  using enum OptionType;
  static const OptionTable table({
      {"model_name_or_path", path, "", "folder of the model"},
      {"output_dir", path, "trainer_output", "where results go"},
      {"run_name", text, "", "a name"},
      {"learning_rate", real, "5e-5", "peak learning rate"},
      {"num_train_epochs", real, "3.0", "passes over the data"},
      {"max_steps", integer, "-1", "optimizer steps; overrides num_train_epochs"},
      {"seed", integer, "42", "seed of everything random"},
      {"bf16", boolean, "false", "bf16 compute"},
      {"do_train", boolean, "false", "train"},
      {"eval_strategy", text, "no", "when to evaluate", {"evaluation_strategy"}, {"no", "steps", "epoch"}},
      {"use_cpu", boolean, "false", "no accelerator", {"no_cuda"}},
      {"text_column_names", list, "", "columns of text"},
      {"report_to", list, "", "where to log", {}, {"none", "tensorboard"}},
      {"torch_compile", boolean, "", "PyTorch's compiler", {}, {}, true},
  });
  return table;
}

}  // namespace suanli
