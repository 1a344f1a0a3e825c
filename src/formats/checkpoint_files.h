/// What writing and checking a checkpoint share; internal to formats/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace suanli {

inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kTemporaryPrefix = "tmp-checkpoint-";
inline constexpr const char* kCheckpointPrefix = "checkpoint-";

/// Size and hash of each file, by its path inside the folder with '/' between folders.
struct Manifest {
  struct File {
    uint64_t size = 0;
    std::string sha256;
  };
  int64_t step = 0;
  std::map<std::string, File> files;
};

/// The only form in which a manifest is written or accepted.
std::string manifest_text(const Manifest& manifest);

/// The files under `folder` with their sizes, without the manifest. Throws EnvironmentError (unreadable, or something
/// that is neither file nor folder, such as a link).
std::map<std::string, uint64_t> list_files(const std::filesystem::path& folder);

}  // namespace suanli
