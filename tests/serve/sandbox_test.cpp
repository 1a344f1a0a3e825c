// What the kernel leaves a serving process: its files, its sockets, threads; nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <thread>

#include "serve/sandbox.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

/// What this kernel can do; where it cannot, confining says so and the rest has nothing to show.
bool kernel_has_landlock() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}
bool kernel_has_seccomp() { return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) != 0 && errno == EFAULT; }

/// Runs `action` in a process of its own and gives what it returns.
int outcome_of(const std::function<int()>& action) {
  const pid_t child = fork();
  if (child == 0) _exit(action());
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : 1000 + WTERMSIG(state);
}

std::filesystem::path new_folder(const std::string& name) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("suanli_sandbox_" + std::to_string(getpid()) + "_" + name);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "file") << "text";
  return folder;
}

bool opens(const std::filesystem::path& path, int how) {
  const int descriptor = open(path.c_str(), how, 0600);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

TEST(Sandbox, OfFilesTheNamedOnesAreLeft) {
  const auto models = new_folder("models"), notes = new_folder("notes"), other = new_folder("other");
  EXPECT_EQ(outcome_of([&] {
              const std::string said = confine_files({.readable = {models, "/nowhere"}, .writable = {notes}});
              if (!kernel_has_landlock()) return said.starts_with("files are not confined") ? 0 : 9;
              if (said != "files are confined by Landlock") return 1;
              if (!opens(models / "file", O_RDONLY) || opens(models / "file", O_WRONLY)) return 2;
              if (opens(models / "new", O_WRONLY | O_CREAT)) return 3;
              if (!opens(notes / "file", O_RDWR) || !opens(notes / "new", O_WRONLY | O_CREAT)) return 4;
              if (opens(other / "file", O_RDONLY) || opens("/etc/passwd", O_RDONLY)) return 5;
              bool thread_reads = true;
              std::thread([&] { thread_reads = opens(other / "file", O_RDONLY); }).join();
              if (thread_reads) return 6;
              if (!opens("/proc/self/stat", O_RDONLY)) return 7;
              execl("/bin/true", "true", nullptr);
              return errno == EACCES ? 0 : 8;
            }),
            0);
}

TEST(Sandbox, ModelsMayBeLinksToFilesElsewhere) {
  // As a cache of Hugging Face: the files are links into a folder of their contents.
  const auto cache = new_folder("cache"), repository = new_folder("repository"), elsewhere = new_folder("elsewhere");
  std::filesystem::create_directories(cache / "blobs");
  std::filesystem::create_directories(cache / "snapshots" / "one");
  std::ofstream(cache / "blobs" / "1f3a") << "text";
  std::filesystem::create_symlink("../../blobs/1f3a", cache / "snapshots" / "one" / "config.json");
  std::filesystem::create_directory_symlink(cache / "snapshots" / "one", repository / "model");
  for (const auto& folder : {cache / "snapshots" / "one", repository}) {
    EXPECT_EQ(outcome_of([&] {
                confine_files({.readable = folders_of_models(folder)});
                const bool whole =
                    opens(folder / (folder == repository ? "model/config.json" : "config.json"), O_RDONLY);
                return whole && !opens(elsewhere / "file", O_RDONLY) ? 0 : 1;
              }),
              0)
        << folder;
  }
}

TEST(Sandbox, OfCallsThoseOfServingAreLeft) {
  EXPECT_EQ(outcome_of([] {
              std::atomic<bool> ends = false, socket_in_thread = true;
              std::thread before([&] {
                while (!ends) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                socket_in_thread = socket(AF_INET, SOCK_STREAM, 0) >= 0;
              });
              const bool can = kernel_has_seccomp();
              const std::string said = confine_calls(false);
              if (!can) {
                ends = true;
                before.join();
                return said.starts_with("system calls are not confined") ? 0 : 9;
              }
              if (said != "system calls are confined by seccomp") return 1;
              ends = true;
              before.join();
              if (socket_in_thread) return 2;
              if (fork() >= 0 || errno != EPERM) return 3;
              execl("/bin/true", "true", nullptr);
              if (errno != EPERM) return 4;
              if (setuid(1) == 0 || chdir("/") == 0 || unshare(CLONE_NEWNS) == 0) return 5;
              int sum = 0;
              std::thread after([&] { sum = 1; });
              after.join();
              return sum == 1 && opens("/proc/self/stat", O_RDONLY) ? 0 : 6;
            }),
            0);
}

TEST(Sandbox, AWebhookMayConnect) {
  EXPECT_EQ(outcome_of([] {
              const bool can = kernel_has_seccomp();
              if (confine_calls(true).starts_with("system calls are confined") != can) return 1;
              if (!can) return 0;
              return socket(AF_INET, SOCK_STREAM, 0) >= 0 && socket(AF_PACKET, SOCK_RAW, 0) < 0 ? 0 : 2;
            }),
            0);
}

TEST(Sandbox, AServerInItAnswersLoadsModelsAnewAndEnds) {
  TestServerOptions options;
  const auto sockets = new_folder("sockets");
  options.server.admin_socket = sockets / "admin";
  int to_parent[2], to_child[2];
  ASSERT_TRUE(pipe(to_parent) == 0 && pipe(to_child) == 0);
  const pid_t child = fork();
  if (child == 0) {
    confine_files({.readable = {options.model}, .writable = {sockets}});
    TestServer server(options);
    confine_calls(false);
    const uint16_t port = server.port();
    char end = 0;
    if (write(to_parent[1], &port, sizeof port) < 0 || read(to_child[0], &end, 1) < 0) _exit(9);
    _exit(server.stop());
  }
  uint16_t port = 0;
  ASSERT_EQ(read(to_parent[0], &port, sizeof port), 2);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Client(port).post("/embed", R"({"inputs":["w1 w2","w3"]})").status, 200);
    EXPECT_EQ(Client(options.server.admin_socket).post("/v2/repository/models/tiny/load", "{}").status, 200);
    EXPECT_EQ(Client(port).request("GET", "/metrics").status, 200);
    EXPECT_EQ(Client(port).request("GET", "/v2/models/tiny/energy").status, 200);
  }
  EXPECT_EQ(write(to_child[1], "x", 1), 1);
  int state = 0;
  waitpid(child, &state, 0);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state;
}

}  // namespace
}  // namespace suanli::serve
