/// Where the time of a program goes: scopes, nested in time, kept one by one for a trace and added up by name.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace suanli {

/// What one kernel call does: its time is judged beside what the machine could do.
struct Work {
  std::string shape = {};  ///< "M=1024 N=384 K=1536"
  const char* dtype = "";  ///< of the arithmetic, as its peak is named
  double flops = 0;        ///< of products, a multiply-add is two; 0 for a kernel that memory alone limits
  double bytes = 0;        ///< that it must at least read and write
};

/// One scope of the trace.
struct ProfileEvent {
  const char* name = "";
  const char* implementation = "";  ///< of a kernel; empty for a phase of the program
  Work work;
  int thread = 0;               ///< 1, 2, ... in the order in which threads were first seen
  int64_t start = 0;            ///< nanoseconds since start_profile()
  int64_t duration = kStillOn;  ///< nanoseconds

  static constexpr int64_t kStillOn = -1;
};

/// All scopes of one name, implementation and dtype together.
struct ProfileTotal {
  std::string name, implementation, dtype;
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
};

struct Profile {
  std::vector<ProfileEvent> events;  ///< on each thread in the order of their beginning
  int64_t left_out = 0;              ///< scopes beyond the cap on events: in the totals alone
  std::vector<ProfileTotal> totals;  ///< the costliest first
  double seconds = 0;                ///< from start to stop
  double kernel_seconds = 0;         ///< of these, within kernels of the thread that started the profile
};

/// Scopes that a trace holds: about 30 MB in memory and 50 MB in the file.
inline constexpr int64_t kTraceEvents = 200'000;

/// Begins to record the scopes of all threads: at most `max_events` one by one, all of them in the totals.
/// A profile that runs already is our mistake.
void start_profile(int64_t max_events = kTraceEvents);
/// Ends it; scopes that are still open end now, and count in the events alone.
Profile stop_profile();

/// What a thread is doing: the innermost phase, and the op or kernel that it came to last. Kept also while no profile
/// is made, so that a device can say who holds its memory.
struct Activity {
  const char* phase = "start";
  const char* op = "";
};
inline constinit thread_local Activity activity = {};

namespace profile_detail {
extern std::atomic<bool> on;
}
/// True between start_profile() and stop_profile().
inline bool profiling() { return profile_detail::on.load(std::memory_order_relaxed); }

/// The time from here to the end of the block. Costs a few loads and stores while no profile is made. Names and
/// implementations are literals.
class ProfileScope {
 public:
  /// A phase of the program, such as "forward".
  explicit ProfileScope(const char* name) {
    activity = {.phase = name};
    if (profiling()) begin(name, "", {});
  }
  /// A kernel call; `work()` gives its Work and is asked while a profile is made alone.
  template <class F>
  ProfileScope(const char* name, const char* implementation, const F& work) {
    activity.op = name;
    if (profiling()) begin(name, implementation, work());
  }
  ~ProfileScope() {
    activity = before_;
    if (profile_ != 0) end();
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  void begin(const char* name, const char* implementation, Work work);
  void end() noexcept;

  int64_t profile_ = 0;  // number of the profile that it belongs to; 0: none
  ProfileTotal* total_ = nullptr;
  int64_t event_ = -1;  // place in the events; -1: beyond the cap
  int64_t start_ = 0;
  bool kernel_ = false;
  const Activity before_ = activity;
};

}  // namespace suanli
