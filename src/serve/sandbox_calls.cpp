#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

#include "serve/sandbox.h"

namespace suanli::serve {

namespace {

/// Names of calls, so that one that an architecture lacks is left out.
constexpr const char* kCalls[] = {
    // sockets that are there, and those that come to them
    "accept", "accept4", "bind", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "getpeername",
    "getsockname", "getsockopt", "listen", "pipe2", "poll", "ppoll", "pselect6", "recvfrom", "recvmmsg", "recvmsg",
    "select", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair", "timerfd_create",
    "timerfd_settime", "timerfd_gettime",
    // bytes and files
    "access", "close", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fcntl", "fdatasync",
    "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "ioctl", "lseek", "lstat", "mkdir",
    "mkdirat", "newfstatat", "open", "openat", "pread64", "preadv", "pwrite64", "pwritev", "read", "readlink",
    "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx", "umask",
    "unlink", "unlinkat", "write", "writev",
    // memory
    "brk", "get_mempolicy", "madvise", "membarrier", "mincore", "mlock", "mmap", "mprotect", "mremap", "msync",
    "munlock", "munmap",
    // threads and time
    "arch_prctl", "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex", "get_robust_list",
    "getcpu", "gettimeofday", "nanosleep", "prctl", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setaffinity",
    "sched_yield", "set_robust_list", "set_tid_address", "sigaltstack", "tgkill", "time",
    // about itself
    "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrlimit", "getrusage", "gettid", "getuid",
    "sysinfo", "times", "uname"};

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

int allow(const Filter& filter, int call, const std::vector<scmp_arg_cmp>& conditions = {}) {
  return seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, static_cast<unsigned>(conditions.size()),
                                conditions.data());
}

/// The argument at `place` is `value`.
scmp_arg_cmp equals(unsigned place, uint64_t value) { return {place, SCMP_CMP_EQ, value, 0}; }

int allow_all(const Filter& filter, bool connects) {
  int failed = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  failed |= seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: few steps a call
  for (const char* name : kCalls) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) failed |= allow(filter, call);
  }
  // Threads, no processes. glibc asks clone3 first, whose flags no filter can read, and goes on with clone.
  failed |= seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, nullptr);
  failed |= allow(filter, SCMP_SYS(clone), {{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}});
  // Reading its own limits, not those of others, and setting none.
  failed |= allow(filter, SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)});
  if (connects) {
    for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
      failed |= allow(filter, SCMP_SYS(socket), {equals(0, static_cast<uint64_t>(family))});
    }
    failed |= allow(filter, SCMP_SYS(connect));
  }
  return failed;
}

}  // namespace

std::string confine_calls(bool connects) {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (!filter || allow_all(filter, connects) != 0) return "system calls are not confined: no filter could be made";
  const int failed = seccomp_load(filter.get());
  return failed == 0 ? "system calls are confined by seccomp"
                     : std::string("system calls are not confined: ") + std::strerror(-failed);
}

}  // namespace suanli::serve
