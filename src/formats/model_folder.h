/// A Hugging Face model folder as a whole: config.json and the weights, in one file or in shards, both ways.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "formats/safetensors.h"

namespace suanli {

/// The weights of a folder: all in one file, or in shards that the index names.
inline constexpr const char* kModelWeights = "model.safetensors";
inline constexpr const char* kModelIndex = "model.safetensors.index.json";

/// An opened folder; copies share the maps of its files.
class ModelFolder {
 public:
  /// Reads config.json and maps model.safetensors or, where there is none, the shards that
  /// model.safetensors.index.json names. Every rule of the files is checked; shard names must be plain file names, and
  /// index and shards must agree on every tensor. Throws UserError that names the file, or EnvironmentError.
  static ModelFolder open(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  const Json& config() const { return config_; }
  /// Names of all tensors, sorted.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return shard_of_.contains(name); }
  /// The entry of that name (dtype and shape without touching the data). Throws UserError when there is none.
  const SafetensorsEntry& entry(std::string_view name) const;
  /// The tensor of that name, borrowed from the map: it must not be written. Throws UserError when there is none.
  Tensor tensor(std::string_view name) const;
  /// Bytes of all tensors.
  uint64_t bytes() const;

 private:
  const SafetensorsFile& shard(std::string_view name) const;

  std::filesystem::path path_;
  Json config_;
  std::vector<SafetensorsFile> shards_;
  std::map<std::string, size_t, std::less<>> shard_of_;
};

/// The shard files of an index (the text of a model.safetensors.index.json): tensor name to file name, checked for
/// form. Throws UserError naming `where`.
std::map<std::string, std::string> parse_weight_index(std::string_view text, std::string_view where);

/// `value` as this program writes JSON files: two spaces of indent, sorted keys, a newline at the end.
/// Throws UserError naming `where` when a string in it is not UTF-8.
std::string json_file_text(const Json& value, std::string_view where);

/// Writes config.json and the weights into `folder` (made where needed), each file whole: model.safetensors or, above
/// `shard_bytes` of tensors, model-00001-of-0000N.safetensors and their index, written last. Weights of an earlier
/// save in the other form are then removed. Throws UserError or EnvironmentError.
void write_model_folder(const std::filesystem::path& folder, const Json& config, std::span<const NamedTensor> tensors,
                        uint64_t shard_bytes = 50'000'000'000);

}  // namespace suanli
