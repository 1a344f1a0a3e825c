#include "formats/lora_folder.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/model_folder.h"

namespace suanli {
namespace {

/// What would change the result and is not done here: the value that leaves it out, or null.
void check_unsupported(const Json& json, const std::string& where) {
  constexpr const char* kKeys[] = {"use_dora",    "lora_bias",         "rank_pattern",
                                   "use_qalora",  "alpha_pattern",     "target_parameters",
                                   "use_bdlora",  "layer_replication", "trainable_token_indices",
                                   "kasa_config", "velora_config",     "alora_invocation_tokens"};
  for (const char* key : kKeys) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null() || *found == false || (found->is_structured() && found->empty())) {
      continue;
    }
    throw UserError(where, concat("expected plain LoRA, got \"", key, "\": ", found->dump(),
                                  ", which is not supported; merge it with PEFT's merge_and_unload() first"));
  }
}

std::vector<std::string> names_at(const Json& json, const char* key, const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  if (found->is_string()) return {found->get<std::string>()};
  return json_get<std::vector<std::string>>(json, key, where);
}

}  // namespace

double LoraConfig::scaling() const {
  const auto rank = static_cast<double>(r);
  return lora_alpha / (use_rslora ? std::sqrt(rank) : rank);
}

LoraConfig lora_config(const Json& json, const std::string& where) {
  const auto type = json_get<std::string>(json, "peft_type", where);
  if (type != "LORA") throw UserError(where, concat("expected \"peft_type\": \"LORA\", got \"", type, "\""));
  check_unsupported(json, where);
  LoraConfig config;
  config.r = json_get<int64_t>(json, "r", where);
  config.lora_alpha = json_get<double>(json, "lora_alpha", where);
  config.lora_dropout = json_get_or<double>(json, "lora_dropout", 0, where);
  config.use_rslora = json_get_or<bool>(json, "use_rslora", false, where);
  config.fan_in_fan_out = json_get_or<bool>(json, "fan_in_fan_out", false, where);
  config.target_modules = names_at(json, "target_modules", where);
  config.target_is_pattern = json.contains("target_modules") && json["target_modules"].is_string();
  config.modules_to_save = names_at(json, "modules_to_save", where);
  config.bias = json_get_or<std::string>(json, "bias", "none", where);
  config.task_type = json_get_or<std::string>(json, "task_type", "", where);
  config.base_model_name_or_path = json_get_or<std::string>(json, "base_model_name_or_path", "", where);
  if (config.r < 1 || !std::isfinite(config.lora_alpha) || !(config.lora_dropout >= 0 && config.lora_dropout < 1)) {
    throw UserError(where, concat("expected r of at least 1, a finite lora_alpha and lora_dropout in [0, 1), got ",
                                  config.r, ", ", config.lora_alpha, " and ", config.lora_dropout));
  }
  return config;
}

Json to_json(const LoraConfig& c) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"peft_type", "LORA"},
          {"r", c.r},
          {"lora_alpha", c.lora_alpha},
          {"lora_dropout", c.lora_dropout},
          {"use_rslora", c.use_rslora},
          {"fan_in_fan_out", c.fan_in_fan_out},
          {"target_modules", c.target_is_pattern ? Json(c.target_modules.front()) : Json(c.target_modules)},
          {"modules_to_save", c.modules_to_save.empty() ? Json() : Json(c.modules_to_save)},
          {"bias", c.bias},
          {"task_type", or_null(c.task_type)},
          {"base_model_name_or_path", or_null(c.base_model_name_or_path)},
          {"inference_mode", true}};
}

LoraFolder LoraFolder::open(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kAdapterConfig;
  if (!std::filesystem::exists(folder / kAdapterWeights)) {
    throw UserError(folder.string(), concat("expected ", kAdapterWeights, " beside ", kAdapterConfig,
                                            "; a pickle is not read: save the adapter with safe_serialization=True"));
  }
  return {folder, lora_config(read_json(file), file.string()), SafetensorsFile::open(folder / kAdapterWeights)};
}

void write_lora_folder(const std::filesystem::path& folder, const LoraConfig& config,
                       std::span<const NamedTensor> tensors) {
  std::filesystem::create_directories(folder);
  write_safetensors(folder / kAdapterWeights, tensors);
  write_file_atomically(folder / kAdapterConfig, json_file_text(to_json(config), kAdapterConfig));
}

bool is_adapter_folder(const std::filesystem::path& folder) { return std::filesystem::exists(folder / kAdapterConfig); }

std::filesystem::path base_model_folder(const std::filesystem::path& folder) {
  if (!is_adapter_folder(folder)) return folder;
  const std::filesystem::path file = folder / kAdapterConfig;
  const std::string base = lora_config(read_json(file), file.string()).base_model_name_or_path;
  for (const std::filesystem::path& place : {std::filesystem::path(base), folder / base}) {
    const bool model = !base.empty() && std::filesystem::exists(place / "config.json");
    if (model && !is_adapter_folder(place)) return place;
  }
  throw UserError(file.string(),
                  concat("expected \"base_model_name_or_path\" to be the folder of the base model, got \"", base,
                         "\"; write its local folder there"));
}

std::filesystem::path folder_with(const std::filesystem::path& folder, std::initializer_list<const char*> files) {
  const bool has = std::ranges::any_of(files, [&](const char* file) { return std::filesystem::exists(folder / file); });
  return has ? folder : base_model_folder(folder);
}

}  // namespace suanli
