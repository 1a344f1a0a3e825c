// `suanli serve` as a process: it says what confines it, ends by SIGTERM, and its audit log can be checked.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "e2e/program.h"

extern char** environ;

namespace suanli::e2e {
namespace {

TEST(Serve, ASandboxedServerEndsAndItsAuditLogHolds) {
  const std::filesystem::path folder = scratch("serve"), model = small_classifier(), log = folder / "audit.log";
  const std::string command = std::string("exec ") + SUANLI_PROGRAM + " serve --model " + model.string() +
                              " --port 0 --allow_root --audit_log " + log.string() + " 2>" + (folder / "err").string();
  const char* const words[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t server = 0;
  ASSERT_EQ(posix_spawn(&server, "/bin/sh", nullptr, nullptr, const_cast<char**>(words), environ), 0);
  const auto begin = std::chrono::steady_clock::now();
  while (read(folder / "err").find("serving gRPC at") == std::string::npos &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(30)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(server, SIGTERM);
  int state = 0;
  waitpid(server, &state, 0);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state;
  const std::string said = read(folder / "err");
  EXPECT_NE(said.find("files are"), std::string::npos) << said;
  EXPECT_NE(said.find("system calls are"), std::string::npos) << said;

  const ProgramRun holds = suanli("audit --log " + log.string());
  EXPECT_EQ(holds.code, 0) << holds.err;
  EXPECT_EQ(holds.out.find("3 entries hold"), 0U) << holds.out;
  const std::string last = holds.out.substr(holds.out.size() - 65, 64);
  EXPECT_EQ(suanli("audit --log " + log.string() + " --expect " + last).code, 0);

  std::string text = read(log);
  write(log, text.substr(0, text.rfind('\n', text.size() - 2) + 1));
  EXPECT_EQ(suanli("audit --log " + log.string()).code, 0) << "a chain that ends earlier is a chain";
  const ProgramRun cut = suanli("audit --log " + log.string() + " --expect " + last);
  EXPECT_EQ(cut.code, 3);
  EXPECT_NE(cut.err.find("lines are missing"), std::string::npos) << cut.err;
  text.replace(text.find("serves"), 6, "served");
  write(log, text);
  const ProgramRun changed = suanli("audit --log " + log.string());
  EXPECT_EQ(changed.code, 3);
  EXPECT_EQ(changed.err, "line 1 was changed; 0 entries before it hold\n");
  EXPECT_EQ(suanli("audit --log /nowhere/log").code, 2);
}

}  // namespace
}  // namespace suanli::e2e
