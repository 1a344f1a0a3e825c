#include "base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "base/file_place.h"
#include "base/sha256.h"

namespace suanli {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes now; false when the system reports a late write error.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what, int error = errno) {
  throw EnvironmentError(file.string(), concat(what, ": ", std::strerror(error)));
}

/// Opens a regular file for reading and gives its size.
Descriptor open_regular(const std::filesystem::path& file, uint64_t* size) {
  // O_NONBLOCK: a FIFO without a writer must be refused below, not waited for.
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) throw UserError(file.string(), "no such file; check the path");
    if (error == ENAMETOOLONG || error == ELOOP || error == EACCES) {
      throw UserError(file.string(), concat("cannot be opened: ", std::strerror(error)));
    }
    fail(file, "cannot be opened", error);
  }
  struct stat status = {};
  if (::fstat(descriptor.get(), &status) != 0) fail(file, "cannot be examined");
  if (!S_ISREG(status.st_mode)) {
    throw UserError(file.string(), concat("expected a regular file, found ",
                                          S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe"));
  }
  *size = static_cast<uint64_t>(status.st_size);
  return descriptor;
}

/// Reads up to `size` bytes; returns how many before the end of the file.
size_t read_some(const Descriptor& descriptor, char* to, size_t size, const std::filesystem::path& file) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor.get(), to + done, std::min(size - done, size_t{1} << 30));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(file, "cannot be read");
    done += static_cast<size_t>(got);
  }
  return done;
}

void write_all(const Descriptor& descriptor, std::string_view content, const std::filesystem::path& file) {
  while (!content.empty()) {
    const ssize_t put = ::write(descriptor.get(), content.data(), std::min(content.size(), size_t{1} << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(file, "cannot be written");
    content.remove_prefix(static_cast<size_t>(put));
  }
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

std::string read_file(const std::filesystem::path& file, uint64_t limit) {
  uint64_t size = 0;
  const Descriptor descriptor = open_regular(file, &size);
  if (size > limit) {
    throw UserError(file.string(),
                    concat("expected at most ", limit, " bytes, the file has ", size, "; is it the right file?"));
  }
  std::string content(size, '\0');
  content.resize(read_some(descriptor, content.data(), content.size(), file));
  return content;
}

namespace {

/// The files that are mapped now, by the first byte of their map.
struct MappedFiles {
  struct One {
    size_t size;
    Descriptor file;
    std::thread::id maker;  ///< until it has released the pages
  };
  std::mutex mutex;
  std::map<const std::byte*, One> by_begin;
};

MappedFiles& mapped_files() {
  static auto* all = new MappedFiles;  // never destroyed: maps of static lifetime may outlive it
  return *all;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) {
  uint64_t size = 0;
  Descriptor descriptor = open_regular(file, &size);
  if (size == 0) return;
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (map == MAP_FAILED) fail(file, "cannot be mapped");
  data_ = static_cast<const std::byte*>(map);
  size_ = size;
  const std::lock_guard lock(mapped_files().mutex);
  mapped_files().by_begin.emplace(data_, MappedFiles::One{size, std::move(descriptor), std::this_thread::get_id()});
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  const std::lock_guard lock(mapped_files().mutex);
  mapped_files().by_begin.erase(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void release_mapped_pages() {
  const std::lock_guard lock(mapped_files().mutex);
  for (auto& [begin, one] : mapped_files().by_begin) {
    if (one.maker != std::this_thread::get_id()) continue;
    one.maker = {};
    ::madvise(const_cast<std::byte*>(begin), one.size, MADV_DONTNEED);  // advice: a refusal changes nothing
  }
}

std::optional<FilePlace> place_in_file(const void* memory) {
  const auto* at = static_cast<const std::byte*>(memory);
  const std::lock_guard lock(mapped_files().mutex);
  auto after = mapped_files().by_begin.upper_bound(at);
  if (after == mapped_files().by_begin.begin()) return std::nullopt;
  const auto& [begin, one] = *--after;
  if (at >= begin + one.size) return std::nullopt;
  return FilePlace{one.file.get(), static_cast<uint64_t>(at - begin)};
}

void write_file_atomically(const std::filesystem::path& file, std::string_view content) {
  std::string temporary = (folder_of(file) / concat('.', file.filename(), ".XXXXXX")).string();
  Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (descriptor.get() < 0) fail(file, "cannot be created");
  try {
    write_all(descriptor, content, file);
    if (::fchmod(descriptor.get(), 0644) != 0) fail(file, "cannot be made readable");
    if (::fsync(descriptor.get()) != 0) fail(file, "cannot be synced");
    if (!descriptor.close()) fail(file, "cannot be closed");
    if (::rename(temporary.c_str(), file.c_str()) != 0) fail(file, "cannot be renamed into place");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_path(folder_of(file));
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(path, "cannot be opened to sync");
  // Some file systems cannot sync a folder and say EINVAL: there is nothing more to do there.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail(path, "cannot be synced");
}

std::string sha256_file(const std::filesystem::path& file) {
  uint64_t size = 0;
  const Descriptor descriptor = open_regular(file, &size);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  SUANLI_ASSERT(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  std::string block(size_t{1} << 20, '\0');
  while (const size_t got = read_some(descriptor, block.data(), block.size(), file)) {
    SUANLI_ASSERT(EVP_DigestUpdate(context.get(), block.data(), got) == 1);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned length = 0;
  SUANLI_ASSERT(EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1);
  return to_hex({digest.data(), length});
}

}  // namespace suanli
