#include "ranks.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "dist/free_port.h"
#include "e2e/program.h"

namespace suanli::e2e {

Ranks::Ranks(const std::filesystem::path& folder, int size, const std::vector<int>& ranks, const std::string& arguments,
             const std::string& program)
    : folder_(folder) {
  const std::string port = std::to_string(free_port());
  for (size_t i = 0; i < ranks.size(); ++i) {
    const std::string command = "exec " + program + " " + arguments + " >" + file(i, "out").string() + " 2>" +
                                file(i, "err").string() + " </dev/null";
    const pid_t process = fork();
    if (process == 0) {
      const std::string rank = std::to_string(ranks[i]);
      setenv("RANK", rank.c_str(), 1);
      setenv("LOCAL_RANK", rank.c_str(), 1);
      setenv("WORLD_SIZE", std::to_string(size).c_str(), 1);
      setenv("MASTER_ADDR", "127.0.0.1", 1);
      setenv("MASTER_PORT", port.c_str(), 1);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    processes_.push_back(process);
  }
}

Ranks::~Ranks() {
  for (const pid_t process : processes_) {
    if (process <= 0) continue;
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
}

std::filesystem::path Ranks::file(size_t index, const char* end) const {
  return folder_ / ("process" + std::to_string(index) + "." + end);
}

std::string Ranks::out(size_t index) const { return read(file(index, "out")); }

std::vector<RankRun> Ranks::finish(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  std::vector<RankRun> runs(processes_.size());
  for (size_t i = 0; i < processes_.size(); ++i) {
    int status = 0;
    while (waitpid(processes_[i], &status, WNOHANG) == 0) {
      if (Clock::now() > deadline) kill(processes_[i], SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    processes_[i] = 0;
    runs[i] = {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(file(i, "out")),
               read(file(i, "err"))};
  }
  return runs;
}

}  // namespace suanli::e2e
