#include "formats/model_folder.h"

#include <algorithm>
#include <functional>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/json_scanner.h"

namespace suanli {
namespace {

/// A shard must be a file of the folder itself, whatever its name tries.
void check_shard_name(const std::string& name, std::string_view where) {
  const bool plain = name.size() <= 255 && name.ends_with(".safetensors") && !name.starts_with('.') &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain) {
    throw UserError(where, concat("expected names of .safetensors files in the same folder, got ", shown_name(name)));
  }
}

}  // namespace

std::map<std::string, std::string> parse_weight_index(std::string_view text, std::string_view where) {
  const Json index = parse_json(text, where);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    throw UserError(where, "expected an object with \"weight_map\", an object of tensor names and shard files");
  }
  if (index.contains("metadata") && !index["metadata"].is_object()) {
    throw UserError(where, "\"metadata\" must be an object");
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (!is_clean_utf8(name)) throw UserError(where, concat("tensor name ", shown_name(name), " holds NUL"));
    if (!file.is_string()) {
      throw UserError(where,
                      concat("the shard of tensor ", shown_name(name), " must be a string, it is ", file.type_name()));
    }
    check_shard_name(file.get_ref<const std::string&>(), where);
    files[name] = file.get<std::string>();
  }
  if (files.empty()) throw UserError(where, "\"weight_map\" names no tensor");
  return files;
}

ModelFolder ModelFolder::open(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw UserError(folder.string(), "no such folder; expected a local folder with config.json and model.safetensors");
  }
  ModelFolder out;
  out.path_ = folder;
  out.config_ = read_json(folder / "config.json");
  if (!out.config_.is_object()) throw UserError((folder / "config.json").string(), "expected a JSON object");

  if (std::filesystem::exists(folder / kModelWeights, error)) {
    out.shards_.push_back(SafetensorsFile::open(folder / kModelWeights));
    for (const SafetensorsEntry& entry : out.shards_[0].entries()) out.shard_of_.emplace(entry.name, 0);
    return out;
  }
  const std::filesystem::path index = folder / kModelIndex;
  if (!std::filesystem::exists(index, error)) {
    const bool pickle = std::filesystem::exists(folder / "pytorch_model.bin", error);
    throw UserError(folder.string(),
                    concat("holds neither ", kModelWeights, " nor ", kModelIndex,
                           pickle ? "; pytorch_model.bin is a pickle, which can run code and is not read: "
                                    "save the model with safe_serialization=True"
                                  : ""));
  }
  std::map<std::string, size_t> numbers;  // shard file to its place in shards_
  for (const auto& [name, file] : parse_weight_index(read_file(index), index.string())) {
    const auto [at, added] = numbers.emplace(file, out.shards_.size());
    if (added) out.shards_.push_back(SafetensorsFile::open(folder / file));
    if (out.shards_[at->second].find(name) == nullptr) {
      throw UserError(index.string(),
                      concat("puts tensor ", shown_name(name), " into ", file, ", which does not hold it"));
    }
    out.shard_of_.emplace(name, at->second);
  }
  for (const auto& [file, number] : numbers) {
    for (const SafetensorsEntry& entry : out.shards_[number].entries()) {
      const auto listed = out.shard_of_.find(entry.name);
      if (listed == out.shard_of_.end() || listed->second != number) {
        throw UserError(index.string(),
                        concat("does not put tensor ", shown_name(entry.name), " into ", file, ", which holds it"));
      }
    }
  }
  return out;
}

std::vector<std::string> ModelFolder::names() const {
  std::vector<std::string> out;
  for (const auto& [name, shard] : shard_of_) out.push_back(name);
  return out;
}

const SafetensorsFile& ModelFolder::shard(std::string_view name) const {
  const auto found = shard_of_.find(name);
  if (found == shard_of_.end()) throw UserError(path_.string(), concat("holds no tensor ", shown_name(name)));
  return shards_[found->second];
}

const SafetensorsEntry& ModelFolder::entry(std::string_view name) const { return *shard(name).find(name); }

Tensor ModelFolder::tensor(std::string_view name) const { return shard(name).tensor(name); }

uint64_t ModelFolder::bytes() const {
  uint64_t sum = 0;
  for (const SafetensorsFile& file : shards_) sum += file.data_bytes();
  return sum;
}

}  // namespace suanli
