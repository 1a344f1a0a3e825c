/// Folders of low-rank adapters as PEFT writes them: adapter_config.json and adapter_model.safetensors, beside a base
/// model that lies elsewhere.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/safetensors.h"

namespace suanli {

inline constexpr const char* kAdapterConfig = "adapter_config.json";
inline constexpr const char* kAdapterWeights = "adapter_model.safetensors";
/// What PEFT puts before the name of every tensor.
inline constexpr const char* kAdapterPrefix = "base_model.model.";

/// The keys of adapter_config.json by PEFT's names.
struct LoraConfig {
  int64_t r = 8;
  double lora_alpha = 8, lora_dropout = 0;
  bool use_rslora = false;
  bool fan_in_fan_out = false;  ///< the base stores its weights as [in, out]
  /// Names of modules or their ends; or one regular expression (`target_is_pattern`), or "all-linear".
  std::vector<std::string> target_modules = {};
  bool target_is_pattern = false;
  std::vector<std::string> modules_to_save = {};  ///< ends of names of modules that are trained and kept whole
  std::string bias = "none";                      ///< or "all" or "lora_only": biases that are kept, too
  std::string task_type = {};                     ///< "SEQ_CLS", "TOKEN_CLS", "CAUSAL_LM", ...; may be empty
  std::string base_model_name_or_path = {};

  /// lora_alpha / r, or lora_alpha / sqrt(r) (rank-stabilised LoRA, Kalajdzievski 2023).
  double scaling() const;
};

/// Reads adapter_config.json. Throws UserError that names `where` for another kind of adapter than LoRA, and for what
/// changes the computation and is not supported: use_dora, rank_pattern, alpha_pattern, lora_bias, ...
LoraConfig lora_config(const Json& json, const std::string& where);
Json to_json(const LoraConfig& config);

/// An opened folder; copies share the map.
struct LoraFolder {
  std::filesystem::path path;
  LoraConfig config;
  SafetensorsFile weights;

  /// Throws UserError or EnvironmentError.
  static LoraFolder open(const std::filesystem::path& folder);
};

/// Writes the two files, each whole. Throws EnvironmentError.
void write_lora_folder(const std::filesystem::path& folder, const LoraConfig& config,
                       std::span<const NamedTensor> tensors);

bool is_adapter_folder(const std::filesystem::path& folder);
/// The base model's folder, looked for as it is written and then within the adapter's folder; `folder` itself where it
/// holds no adapter. Throws UserError where it is not there.
std::filesystem::path base_model_folder(const std::filesystem::path& folder);
/// `folder` where it has one of `files` or is no adapter, else the base model's: an adapter may leave out what it
/// shares.
std::filesystem::path folder_with(const std::filesystem::path& folder, std::initializer_list<const char*> files);

}  // namespace suanli
