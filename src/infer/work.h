/// What all schedulers share: when work is due, that it is wanted no more, and how it ended.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace suanli::infer {

using Clock = std::chrono::steady_clock;

/// Set from any thread when nobody waits for the answer any more.
using Cancelled = std::shared_ptr<const std::atomic<bool>>;

/// What a caller says of its work beside the work itself.
struct WorkOptions {
  Clock::time_point deadline = Clock::time_point::max();  ///< work that has not begun by then never begins
  int priority = 0;                                       ///< higher first; equal ones in the order they came
  Cancelled cancelled = {};                               ///< null: never
};

enum class Ending {
  done,
  refused,    ///< the queue is full
  expired,    ///< the deadline passed before it began
  cancelled,  ///< nobody waits for it
  failed,     ///< the message says why
  stopped,    ///< the scheduler ends
};

struct Timing {
  int64_t queue_ns = 0, compute_ns = 0;
};

}  // namespace suanli::infer
