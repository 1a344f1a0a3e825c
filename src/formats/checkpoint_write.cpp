#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/checkpoint.h"
#include "formats/checkpoint_files.h"
#include "formats/output_file.h"

namespace suanli {
namespace {

void remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) throw EnvironmentError(folder.string(), concat("cannot be removed: ", error.message()));
}

void remove_temporary_folders(const std::filesystem::path& output_dir) {
  std::vector<std::filesystem::path> stale;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(output_dir)) {
      if (entry.path().filename().string().starts_with(kTemporaryPrefix)) stale.push_back(entry.path());
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw EnvironmentError(output_dir.string(), concat("cannot be listed: ", error.code().message()));
  }
  for (const auto& folder : stale) remove_folder(folder);
}

/// Puts `from` in the place of `to`, which exists; afterwards the old one lies at `from` or beside it.
void replace_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) fail_with_errno(to, "cannot be replaced");
  const std::filesystem::path aside = from.string() + "-replaced";
  if (::rename(to.c_str(), aside.c_str()) != 0) fail_with_errno(to, "cannot be renamed aside");
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    ::rename(aside.c_str(), to.c_str());
    errno = error;
    fail_with_errno(to, "cannot be renamed into place");
  }
}

}  // namespace

CheckpointWriter::CheckpointWriter(const std::filesystem::path& output_dir, int64_t step)
    : output_dir_(output_dir),
      temporary_(output_dir / concat(kTemporaryPrefix, step)),
      final_(output_dir / concat(kCheckpointPrefix, step)),
      step_(step) {
  SUANLI_ASSERT(step >= 0);
  std::error_code error;
  std::filesystem::create_directories(output_dir, error);
  if (error) throw EnvironmentError(output_dir.string(), concat("cannot be made: ", error.message()));
  remove_temporary_folders(output_dir);
  if (::mkdir(temporary_.c_str(), 0777) != 0) fail_with_errno(temporary_, "cannot be made");
}

CheckpointWriter::~CheckpointWriter() {
  if (committed_) return;
  std::error_code ignored;  // the next writer removes what is left
  std::filesystem::remove_all(temporary_, ignored);
}

void CheckpointWriter::add(std::string_view name, std::string_view content) const {
  write_file_atomically(temporary_ / name, content);
}

std::filesystem::path CheckpointWriter::commit() {
  SUANLI_ASSERT(!committed_);
  Manifest manifest{step_, {}};
  std::set<std::filesystem::path> folders;
  for (const auto& [name, size] : list_files(temporary_)) {
    const std::filesystem::path file = temporary_ / name;
    sync_path(file);
    manifest.files[name] = {size, sha256_file(file)};
    for (auto folder = file.parent_path(); folder != temporary_; folder = folder.parent_path()) folders.insert(folder);
  }
  for (const auto& folder : folders) sync_path(folder);
  write_file_atomically(temporary_ / kManifest, manifest_text(manifest));  // syncs the folder itself

  std::error_code error;
  const bool replaces = std::filesystem::exists(std::filesystem::symlink_status(final_, error));
  if (replaces) {
    replace_folder(temporary_, final_);
  } else if (::rename(temporary_.c_str(), final_.c_str()) != 0) {
    fail_with_errno(final_, "cannot be renamed into place");
  }
  committed_ = true;
  sync_path(output_dir_);
  if (replaces) remove_temporary_folders(output_dir_);
  return final_;
}

}  // namespace suanli
