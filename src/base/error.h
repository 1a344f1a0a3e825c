/// The three kinds of failure: what a user did, what the world did, and what we did wrong.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace suanli {

/// Text of every error: `[where] what was expected, what came, what to do`.
class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view message);
};

/// A wrong argument, file or key: printed as one message, exit code 2.
class UserError : public Error {
 public:
  using Error::Error;
};

/// Disk full, file unreadable, peer gone: reported, exit code 1, nothing lost.
class EnvironmentError : public Error {
 public:
  using Error::Error;
};

/// Prints the failed condition with a stack trace and aborts; for our own mistakes only, never for input.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace suanli

#define SUANLI_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::suanli::assertion_failed(#condition, __FILE__, __LINE__))
