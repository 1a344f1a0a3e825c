#include "train/lora_options.h"

#include "train/option_types.h"

namespace suanli {

std::vector<Option> lora_options() {
  return {
      {"use_peft", kBoolean, "false", "train low-rank adapters (LoRA) beside the model, which stays as it is"},
      {"lora_r", kInteger, "16", "rank of the adapters"},
      {"lora_alpha", kReal, "32", "adapters are scaled by lora_alpha / lora_r"},
      {"lora_dropout", kReal, "0.05", "share of an adapter's inputs that are dropped while training"},
      {"lora_target_modules", kList, "",
       "names of the linear layers with adapters, or their ends, or all-linear; not set: those that PEFT takes, such "
       "as query and value"},
      {"use_rslora", kBoolean, "false", "adapters are scaled by lora_alpha / sqrt(lora_r)"},
  };
}

}  // namespace suanli
