#include "base/error.h"

#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/concat.h"

namespace suanli {

Error::Error(std::string_view where, std::string_view message)
    : std::runtime_error(concat('[', where, "] ", message)) {}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "internal error: %s is false at %s:%d\n", condition, file, line);
  void* frames[32];
  backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
  std::abort();
}

}  // namespace suanli
