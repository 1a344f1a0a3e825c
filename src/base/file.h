/// Files: whole reads, memory maps, and writes that are complete or absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace suanli {

/// The whole content of a regular file of at most `limit` bytes. Throws UserError (missing, not a file, too large) or
/// EnvironmentError (read failed).
std::string read_file(const std::filesystem::path& file, uint64_t limit = uint64_t{1} << 32);

/// A read-only memory map of a whole file; movable, unmapped at the end. An empty file maps to an empty span.
class MappedFile {
 public:
  /// Throws UserError when the file is missing or not a regular file, EnvironmentError when it cannot be mapped.
  explicit MappedFile(const std::filesystem::path& file);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Takes the pages of the maps that this thread has made since it last asked out of this process's memory; the system
/// keeps them while it has room, and a page costs a fault again. After a load that made its own forms of what it read.
void release_mapped_pages();

/// Writes `file` under a temporary name beside it, syncs, renames over `file` and syncs the folder.
/// Throws EnvironmentError with the system's reason; the old file then stands and the temporary one is gone.
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// fsync of a file or folder. Throws EnvironmentError.
void sync_path(const std::filesystem::path& path);

/// SHA-256 of a file as 64 lower-case hex digits (OpenSSL). Throws like read_file.
std::string sha256_file(const std::filesystem::path& file);

}  // namespace suanli
