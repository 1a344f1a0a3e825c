#include "base/profile.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace suanli {

std::atomic<bool> profile_detail::on = false;

namespace {

/// One for the program: a kernel takes microseconds, so that one lock for all threads costs nothing beside it.
struct Recorder {
  std::mutex mutex;
  int64_t number = 0;  // of the profile; odd while it is made
  int64_t max_events = 0, origin = 0;
  int thread = 0;  // that started it
  Profile profile;
  std::map<std::array<std::string_view, 3>, ProfileTotal> totals;  // by name, implementation and dtype
};

Recorder& recorder() {
  static Recorder instance;
  return instance;
}

int thread_number() {
  static std::atomic<int> last = 0;
  thread_local const int number = ++last;
  return number;
}

thread_local int open_kernels = 0;  // of this thread, one within the other

}  // namespace

void start_profile(int64_t max_events) {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  SUANLI_ASSERT(!profiling());
  ++r.number;
  r.max_events = max_events;
  r.thread = thread_number();
  r.profile = {};
  r.totals.clear();
  r.origin = nanoseconds_now();
  profile_detail::on = true;
}

Profile stop_profile() {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  SUANLI_ASSERT(profiling());
  profile_detail::on = false;
  ++r.number;
  const int64_t end = nanoseconds_now() - r.origin;
  Profile profile = std::exchange(r.profile, {});
  for (ProfileEvent& event : profile.events) {
    if (event.duration == ProfileEvent::kStillOn) event.duration = end - event.start;
  }
  profile.seconds = 1e-9 * static_cast<double>(end);
  for (auto& [key, total] : r.totals) profile.totals.push_back(std::move(total));
  r.totals.clear();
  std::ranges::stable_sort(profile.totals, std::greater{}, &ProfileTotal::seconds);
  return profile;
}

void ProfileScope::begin(const char* name, const char* implementation, Work work) {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  if (!profiling()) return;  // it was stopped meanwhile
  ProfileTotal& total = r.totals[{name, implementation, work.dtype}];
  if (total.calls++ == 0) total = {name, implementation, work.dtype, 1};
  total.flops += work.flops;
  total.bytes += work.bytes;
  profile_ = r.number;
  total_ = &total;
  kernel_ = *implementation != '\0';
  if (kernel_) ++open_kernels;
  // A place is taken at the beginning, so that a trace that is cut short still holds what lies around its events.
  const auto place = static_cast<int64_t>(r.profile.events.size());
  if (place < r.max_events) {
    event_ = place;
    r.profile.events.push_back({name, implementation, std::move(work), thread_number()});
  } else {
    ++r.profile.left_out;
  }
  start_ = nanoseconds_now() - r.origin;
  if (event_ >= 0) r.profile.events.back().start = start_;
}

void ProfileScope::end() noexcept {
  Recorder& r = recorder();
  const int64_t now = nanoseconds_now();
  const bool outermost_kernel = kernel_ && --open_kernels == 0;
  const std::lock_guard lock(r.mutex);
  if (profile_ != r.number) return;  // its profile was stopped meanwhile
  const int64_t duration = now - r.origin - start_;
  const double seconds = 1e-9 * static_cast<double>(duration);
  total_->seconds += seconds;
  if (event_ >= 0) r.profile.events[static_cast<size_t>(event_)].duration = duration;
  if (outermost_kernel && thread_number() == r.thread) r.profile.kernel_seconds += seconds;
}

}  // namespace suanli
