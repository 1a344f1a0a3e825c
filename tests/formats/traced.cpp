#include "formats/traced.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace suanli {
namespace {

void check(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

int wait_for(pid_t child) {
  int status = 0;
  check(waitpid(child, &status, 0), "waitpid");
  return status;
}

bool creates(const user_regs_struct& registers) {
  if (registers.orig_rax == SYS_openat) return (registers.rdx & O_CREAT) != 0;
  return registers.orig_rax == SYS_open && (registers.rsi & O_CREAT) != 0;
}

}  // namespace

Traced run_traced(const std::function<int()>& body, const std::function<Fate(const SystemCall&)>& fate) {
  const pid_t child = fork();
  check(child, "fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(125);
    raise(SIGSTOP);
    _exit(body());
  }
  Traced out;
  int status = wait_for(child);
  if (!WIFSTOPPED(status)) return out;
  check(ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), "PTRACE_SETOPTIONS");
  bool inside = false, failing = false;  // between entry and exit of a call; a call that is being failed
  long signal = 0;
  while (true) {
    check(ptrace(PTRACE_SYSCALL, child, nullptr, signal), "PTRACE_SYSCALL");
    signal = 0;
    status = wait_for(child);
    if (WIFEXITED(status)) {
      out.exit_code = WEXITSTATUS(status);
      return out;
    }
    if (WIFSIGNALED(status)) return out;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {  // a signal of the child's own: deliver it
      signal = WSTOPSIG(status);
      continue;
    }
    inside = !inside;
    user_regs_struct registers = {};
    check(ptrace(PTRACE_GETREGS, child, nullptr, &registers), "PTRACE_GETREGS");
    if (inside) {
      const Fate decided = fate({out.calls++, static_cast<long>(registers.orig_rax), creates(registers)});
      if (decided == Fate::kill) {
        check(kill(child, SIGKILL), "kill");
        wait_for(child);
        out.killed = true;
        return out;
      }
      failing = decided == Fate::no_space;
      if (failing) registers.orig_rax = static_cast<unsigned long long>(-1);  // no such call: nothing is done
    } else if (failing) {
      registers.rax = static_cast<unsigned long long>(-ENOSPC);
      failing = false;
    } else {
      continue;
    }
    check(ptrace(PTRACE_SETREGS, child, nullptr, &registers), "PTRACE_SETREGS");
  }
}

}  // namespace suanli
