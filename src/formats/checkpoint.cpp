#include "formats/checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/checkpoint_files.h"
#include "formats/output_file.h"

namespace suanli {
namespace {

struct Found {
  int64_t step;
  std::filesystem::path folder;
};

/// The step of a folder named `checkpoint-<step>`, as this program writes it; nothing for other names.
std::optional<int64_t> step_of(const std::filesystem::path& folder) {
  const std::string name = folder.filename();
  if (!name.starts_with(kCheckpointPrefix)) return std::nullopt;
  const std::string_view digits = std::string_view(name).substr(std::string_view(kCheckpointPrefix).size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || end != digits.data() + digits.size() || std::to_string(step) != digits || step < 0) {
    return std::nullopt;
  }
  return step;
}

/// All folders with a checkpoint's name, valid or not, newest first.
std::vector<Found> list_checkpoints(const std::filesystem::path& output_dir) {
  std::vector<Found> out;
  std::error_code error;
  if (!std::filesystem::exists(output_dir, error)) return out;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(output_dir)) {
      const std::optional<int64_t> step = step_of(entry.path());
      if (step) out.push_back({*step, entry.path()});
    }
  } catch (const std::filesystem::filesystem_error& failure) {
    throw EnvironmentError(output_dir.string(), concat("cannot be listed: ", failure.code().message()));
  }
  std::ranges::sort(out, std::greater(), &Found::step);
  return out;
}

/// Reads a manifest. Throws UserError unless it is byte for byte one that manifest_text() gives.
Manifest read_manifest(const std::filesystem::path& file) {
  const std::string text = read_file(file, uint64_t{64} << 20);
  const std::string where = file.string();
  const Json json = parse_json(text, where);
  Manifest manifest;
  manifest.step = json_get<int64_t>(json, "step", where);
  const auto files = json.find("files");
  if (files == json.end() || !files->is_object()) throw UserError(where, "expected an object \"files\"");
  for (const auto& [name, value] : files->items()) {
    const int64_t size = json_get<int64_t>(value, "size", where);
    manifest.files[name] = {static_cast<uint64_t>(size), json_get<std::string>(value, "sha256", where)};
  }
  if (manifest_text(manifest) != text) throw UserError(where, "is not a manifest as it was written");
  return manifest;
}

std::string describe(const std::map<std::string, uint64_t>& present, const Manifest& manifest) {
  for (const auto& [name, file] : manifest.files) {
    const auto at = present.find(name);
    if (at == present.end()) return concat(name, " is missing");
    if (at->second != file.size) return concat(name, " has ", at->second, " bytes, its manifest says ", file.size);
  }
  for (const auto& [name, size] : present) {
    if (!manifest.files.contains(name)) return concat(name, " is not in the manifest");
  }
  return "";
}

}  // namespace

std::optional<std::string> checkpoint_fault(const std::filesystem::path& folder) {
  try {
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::symlink_status(folder, error))) return "is not a folder";
    if (!std::filesystem::exists(folder / kManifest, error))
      return concat("has no ", kManifest, ": its save did not finish");
    const Manifest manifest = read_manifest(folder / kManifest);
    if (step_of(folder) != manifest.step) return concat("holds step ", manifest.step, ", which is not its name");
    if (std::string fault = describe(list_files(folder), manifest); !fault.empty()) return fault;
    for (const auto& [name, file] : manifest.files) {
      if (sha256_file(folder / name) != file.sha256)
        return concat(name, " is damaged: its SHA-256 is not the manifest's");
    }
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

LatestCheckpoint find_latest_checkpoint(const std::filesystem::path& output_dir) {
  LatestCheckpoint out;
  for (const auto& [step, folder] : list_checkpoints(output_dir)) {
    std::optional<std::string> fault = checkpoint_fault(folder);
    if (!fault) {
      out.folder = folder;
      out.step = step;
      break;
    }
    out.rejected.push_back({folder, std::move(*fault)});
  }
  return out;
}

std::vector<std::filesystem::path> apply_save_total_limit(const std::filesystem::path& output_dir, int64_t limit,
                                                          const std::filesystem::path& best) {
  std::vector<std::filesystem::path> removed;
  std::vector<Found> all = list_checkpoints(output_dir);
  if (limit <= 0 || static_cast<int64_t>(all.size()) <= limit || checkpoint_fault(all.front().folder)) return removed;
  const auto kept = [&](const Found& one) {
    return one.step == all.front().step || one.folder.filename() == best.filename();
  };
  int64_t excess = static_cast<int64_t>(all.size()) - limit;
  for (auto one = all.rbegin(); one != all.rend() && excess > 0; ++one) {
    if (kept(*one)) continue;
    // Under a temporary name first: a kill in the middle leaves nothing that looks like a checkpoint.
    const std::filesystem::path doomed = output_dir / concat(kTemporaryPrefix, one->step, "-deleted");
    if (::rename(one->folder.c_str(), doomed.c_str()) != 0)
      fail_with_errno(one->folder, "cannot be renamed to delete it");
    std::error_code error;
    std::filesystem::remove_all(doomed, error);
    if (error) throw EnvironmentError(doomed.string(), concat("cannot be removed: ", error.message()));
    removed.push_back(one->folder);
    --excess;
  }
  return removed;
}

}  // namespace suanli
