#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "serve/sandbox.h"

namespace suanli::serve {

namespace {

constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
/// All that version 1 knows; each kernel with Landlock has it.
constexpr uint64_t kAll = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr uint64_t kOfFiles = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE;

/// What programs read in passing: libraries, names of hosts, time zones, the machine.
constexpr const char* kSystem[] = {"/usr",
                                   "/lib",
                                   "/lib64",
                                   "/etc/ld.so.cache",
                                   "/etc/nsswitch.conf",
                                   "/etc/hosts",
                                   "/etc/resolv.conf",
                                   "/etc/host.conf",
                                   "/etc/gai.conf",
                                   "/etc/localtime",
                                   "/etc/ssl",
                                   "/proc",
                                   "/sys"};

void allow(int rules, const std::filesystem::path& path, uint64_t access) {
  const int descriptor = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (descriptor < 0) return;
  struct stat state = {};
  if (::fstat(descriptor, &state) == 0 && !S_ISDIR(state.st_mode)) access &= kOfFiles;
  const landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = descriptor};
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(descriptor);
}

}  // namespace

std::vector<std::filesystem::path> folders_of_models(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  constexpr int kDeepest = 3;  // a repository, its models, their folders
  std::error_code ignored;
  std::set<fs::path> found = {fs::weakly_canonical(folder)};
  const auto options = fs::directory_options::follow_directory_symlink | fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(folder, options, ignored), end; it != end; it.increment(ignored)) {
    if (it.depth() >= kDeepest) it.disable_recursion_pending();
    if (it->is_symlink(ignored)) found.insert(fs::weakly_canonical(it->path(), ignored).parent_path());
  }
  return {found.begin(), found.end()};
}

std::string confine_files(const FileAccess& access) {
  const landlock_ruleset_attr handled = {.handled_access_fs = kAll};
  const auto rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
  if (rules < 0) return std::string("files are not confined: no Landlock here (") + std::strerror(errno) + ")";
  for (const char* path : kSystem) allow(rules, path, kRead);
  for (const char* device : {"/dev/null", "/dev/urandom"}) allow(rules, device, kOfFiles);
  for (const auto& path : access.readable) allow(rules, path, kRead);
  for (const auto& path : access.writable) allow(rules, path, kAll & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE});
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const bool done = ::syscall(SYS_landlock_restrict_self, rules, 0) == 0;
  const std::string reason = done ? "" : std::strerror(errno);
  ::close(rules);
  return done ? "files are confined by Landlock" : "files are not confined: " + reason;
}

}  // namespace suanli::serve
