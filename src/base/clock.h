/// The clock that durations are measured with.
#pragma once

#include <chrono>
#include <cstdint>

namespace suanli {

/// Nanoseconds since some fixed moment; never runs backward.
inline int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Seconds since some fixed moment; never runs backward.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace suanli
