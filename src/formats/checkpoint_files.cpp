#include "formats/checkpoint_files.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/model_folder.h"

namespace suanli {

std::string manifest_text(const Manifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, file] : manifest.files) files[name] = {{"sha256", file.sha256}, {"size", file.size}};
  return json_file_text({{"files", files}, {"step", manifest.step}, {"version", 1}}, kManifest);
}

std::map<std::string, uint64_t> list_files(const std::filesystem::path& folder) {
  std::map<std::string, uint64_t> files;
  try {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::filesystem::file_status status = entry.symlink_status();
      if (std::filesystem::is_directory(status)) continue;
      if (!std::filesystem::is_regular_file(status)) {
        throw EnvironmentError(entry.path().string(), "a checkpoint may hold files and folders alone, this is neither");
      }
      const std::string name = entry.path().lexically_relative(folder).generic_string();
      if (name != kManifest) files[name] = entry.file_size();
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw EnvironmentError(folder.string(), concat("cannot be listed: ", error.code().message()));
  }
  return files;
}

}  // namespace suanli
