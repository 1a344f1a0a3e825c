/// Checkpoints that are whole or absent: `<output_dir>/checkpoint-<step>/`, sealed by a manifest of hashes.
///
/// A checkpoint is written as `tmp-checkpoint-<step>`; every file is synced, manifest.json (size and SHA-256 of each
/// file) is written and synced, the folder is renamed and its parent synced. A folder is a checkpoint only while it is
/// exactly what its manifest says: any missing, added or changed file is a fault.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

/// Writes one checkpoint. Until commit() returns, earlier checkpoints are untouched; without commit() (an exception, a
/// full disk) the temporary folder is removed.
class CheckpointWriter {
 public:
  /// Makes `output_dir` where needed and an empty temporary folder in it, after removing temporary folders that a
  /// killed run left. `step` >= 0. Throws EnvironmentError with the system's reason.
  CheckpointWriter(const std::filesystem::path& output_dir, int64_t step);
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;
  ~CheckpointWriter();

  /// Where the files of the checkpoint go, by any writer (write_model_folder, a tokenizer, ...); folders are allowed.
  const std::filesystem::path& folder() const { return temporary_; }
  /// Writes one text file. Throws EnvironmentError.
  void add(std::string_view name, std::string_view content) const;
  /// Seals and publishes; returns `<output_dir>/checkpoint-<step>`. One that is there already is replaced in one step
  /// where the file system can, else after it was renamed aside. Throws EnvironmentError with the system's reason.
  std::filesystem::path commit();

 private:
  std::filesystem::path output_dir_, temporary_, final_;
  int64_t step_;
  bool committed_ = false;
};

/// Why `folder` is not a valid checkpoint, or nothing when its manifest holds. Reads every file.
std::optional<std::string> checkpoint_fault(const std::filesystem::path& folder);

struct RejectedCheckpoint {
  std::filesystem::path folder;
  std::string reason;
};

struct LatestCheckpoint {
  std::optional<std::filesystem::path> folder;  ///< empty when there is no valid one
  int64_t step = 0;
  std::vector<RejectedCheckpoint> rejected;  ///< newer ones that were passed over, newest first
};

/// The valid checkpoint with the largest step. Throws EnvironmentError when `output_dir` cannot be listed; a missing
/// one has no checkpoints.
LatestCheckpoint find_latest_checkpoint(const std::filesystem::path& output_dir);

/// Deletes the oldest checkpoints until `limit` are left, never the newest nor `best` (empty for none); limit <= 0
/// keeps all. Deletes nothing unless the newest is valid. Returns what was deleted. Throws EnvironmentError.
std::vector<std::filesystem::path> apply_save_total_limit(const std::filesystem::path& output_dir, int64_t limit,
                                                          const std::filesystem::path& best = {});

}  // namespace suanli
