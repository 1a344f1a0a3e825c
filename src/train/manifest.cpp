#include "train/manifest.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "base/file.h"
#include "formats/lora_folder.h"
#include "formats/model_folder.h"
#include "kernels/machine.h"

namespace suanli {
namespace {

Json file_entry(const std::filesystem::path& file) {
  return {{"path", file.string()}, {"bytes", std::filesystem::file_size(file)}, {"sha256", sha256_file(file)}};
}

/// Of a folder of data: how much is in it.
Json folder_entry(const std::filesystem::path& folder) {
  int64_t files = 0;
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    bytes += entry.file_size();
  }
  return {{"path", folder.string()}, {"files", files}, {"bytes", bytes}};
}

std::string utc_now() {
  const time_t now = std::time(nullptr);
  tm utc = {};
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  return text;
}

}  // namespace

Json run_manifest(const Json& configuration, const std::vector<ManifestInput>& inputs) {
  Json files = Json::object();
  for (const ManifestInput& input : inputs) {
    if (input.path.empty()) continue;
    if (!std::filesystem::is_directory(input.path)) {
      files[input.role] = Json::array({file_entry(input.path)});
      continue;
    }
    files[input.role] = Json::array();
    const std::filesystem::path folder = input.path;
    if (!std::filesystem::exists(folder / "config.json") && !std::filesystem::exists(folder / kAdapterConfig)) {
      files[input.role].push_back(folder_entry(input.path));
      continue;
    }
    for (const char* name : {"config.json", kModelWeights, kModelIndex, kAdapterConfig, kAdapterWeights,
                             "tokenizer.json", "vocab.txt", "tokenizer_config.json"}) {
      const auto file = std::filesystem::path(input.path) / name;
      if (std::filesystem::is_regular_file(file)) files[input.role].push_back(file_entry(file));
    }
  }
  utsname system = {};
  uname(&system);
  const Machine& cpu = machine();
  return {{"suanli_version", SUANLI_VERSION},
          {"started", utc_now()},
          {"configuration", configuration},
          {"inputs", files},
          {"build", {{"compiler", __VERSION__}, {"cxx", __cplusplus}}},
          {"hardware",
           {{"host", system.nodename},
            {"system", std::string(system.sysname) + " " + system.release + " " + system.machine},
            {"cpu", cpu.cpu_model},
            {"isa", name_of(cpu.isa)},
            {"avx512_bf16", cpu.avx512_bf16},
            {"threads", cpu.threads},
            {"memory_bytes", static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE)}}}};
}

}  // namespace suanli
