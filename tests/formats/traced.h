/// Runs a function in a child process and decides the fate of each of its system calls (Linux, x86-64).
#pragma once

#include <functional>
#include <string>

namespace suanli {

enum class Fate { proceed, kill, no_space };

/// A system call about to be made.
struct SystemCall {
  int index;     ///< counted from zero since the function began
  long number;   ///< SYS_write, ...
  bool creates;  ///< an open with O_CREAT
};

struct Traced {
  bool killed = false;  ///< by a Fate; else the child came to its end
  int exit_code = -1;   ///< what the function returned; -1 when killed, or by a signal of its own
  int calls = 0;        ///< system calls that were begun
};

/// Forks; the child runs `body` under ptrace and leaves with its result. Before each system call `fate` is asked:
/// kill ends the child there by SIGKILL, no_space lets the call fail with ENOSPC without being made.
Traced run_traced(const std::function<int()>& body, const std::function<Fate(const SystemCall&)>& fate);

}  // namespace suanli
