#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/model_folder.h"

namespace suanli {
namespace {

/// Cuts `tensors`, in their order, into runs of at most `limit` bytes; a larger tensor is a run of its own.
std::vector<std::span<const NamedTensor>> cut(std::span<const NamedTensor> tensors, uint64_t limit) {
  std::vector<std::span<const NamedTensor>> runs;
  size_t begin = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto size = static_cast<uint64_t>(tensors[i].tensor.bytes());
    if (i > begin && bytes + size > limit) {
      runs.push_back(tensors.subspan(begin, i - begin));
      begin = i;
      bytes = 0;
    }
    bytes += size;
  }
  runs.push_back(tensors.subspan(begin));
  return runs;
}

std::string shard_name(size_t number, size_t count) {
  const auto five = [](size_t value) {
    const std::string digits = std::to_string(value);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  return concat("model-", five(number), "-of-", five(count), ".safetensors");
}

/// model.safetensors, model.safetensors.index.json or a shard model-00001-of-00003.safetensors.
bool is_weight_file(std::string_view name) {
  if (name == kModelWeights || name == kModelIndex) return true;
  constexpr std::string_view kPrefix = "model-", kSuffix = ".safetensors";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(kSuffix.size(), name.size()));
  const size_t middle = name.find("-of-");
  const auto is_number = [](std::string_view digits) {
    return digits.size() >= 5 && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return middle != std::string_view::npos && is_number(name.substr(0, middle)) && is_number(name.substr(middle + 4));
}

/// Removes the weights of an earlier save that the files `kept` have replaced.
void remove_other_weights(const std::filesystem::path& folder, const std::vector<std::string>& kept) {
  std::vector<std::filesystem::path> old;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (is_weight_file(name) && std::ranges::find(kept, name) == kept.end()) old.push_back(entry.path());
    }
    for (const auto& file : old) std::filesystem::remove(file);
  } catch (const std::filesystem::filesystem_error& error) {
    throw EnvironmentError(folder.string(),
                           concat("weights of an earlier save cannot be removed: ", error.code().message()));
  }
}

}  // namespace

std::string json_file_text(const Json& value, std::string_view where) {
  try {
    return value.dump(2) + '\n';
  } catch (const Json::type_error&) {
    throw UserError(where, "a string to be written as JSON is not UTF-8; clean the labels and names of the run");
  }
}

void write_model_folder(const std::filesystem::path& folder, const Json& config, std::span<const NamedTensor> tensors,
                        uint64_t shard_bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw EnvironmentError(folder.string(), concat("cannot be made: ", error.message()));

  std::vector<std::string> written;
  const auto shards = cut(tensors, shard_bytes);
  if (shards.size() == 1) {
    write_safetensors(folder / kModelWeights, tensors);
    written = {kModelWeights};
  } else {
    Json weight_map = Json::object();
    int64_t total = 0;
    for (size_t i = 0; i < shards.size(); ++i) {
      written.push_back(shard_name(i + 1, shards.size()));
      write_safetensors(folder / written.back(), shards[i]);
      for (const NamedTensor& item : shards[i]) {
        weight_map[item.name] = written.back();
        total += item.tensor.bytes();
      }
    }
    if (weight_map.size() != tensors.size()) throw UserError(folder.string(), "two tensors have the same name");
    const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
    write_file_atomically(folder / kModelIndex, json_file_text(index, kModelIndex));
    written.push_back(kModelIndex);
  }
  remove_other_weights(folder, written);
  write_file_atomically(folder / "config.json", json_file_text(config, "config.json"));
}

}  // namespace suanli
