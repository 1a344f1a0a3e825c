#include "base/profile_trace.h"

#include <cmath>
#include <set>

#include "base/concat.h"

namespace suanli {
namespace {

std::string json_string(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Nanoseconds as microseconds, exactly: slices that touch must not overlap.
std::string microseconds(int64_t nanoseconds) {
  const std::string rest = std::to_string(1000 + nanoseconds % 1000);
  return concat(nanoseconds / 1000, ".", std::string_view(rest).substr(1));
}

/// To four decimals, which is more than a measurement of time has.
std::string rounded(double value) { return concat(std::isfinite(value) ? std::round(value * 1e4) / 1e4 : 0.0); }

std::string arguments(const ProfileEvent& event, const Roofline& roofline) {
  const Work& work = event.work;
  const double seconds = 1e-9 * static_cast<double>(event.duration);
  std::string text = concat("\"implementation\":", json_string(event.implementation),
                            ",\"shape\":", json_string(work.shape), ",\"dtype\":", json_string(work.dtype),
                            ",\"flop\":", rounded(work.flops), ",\"bytes\":", rounded(work.bytes));
  const auto share = [&](const char* name, double least) {
    if (least > 0) text += concat(",\"", name, "\":", rounded(least / seconds));
  };
  if (work.flops > 0) text += concat(",\"gflop_per_second\":", rounded(1e-9 * work.flops / seconds));
  share("share_of_peak", roofline.compute_seconds(work.dtype, work.flops));
  if (work.bytes > 0) text += concat(",\"gigabyte_per_second\":", rounded(1e-9 * work.bytes / seconds));
  share("share_of_bandwidth", roofline.memory_seconds(work.bytes));
  return text;
}

/// Names a process or a thread of the trace.
std::string name_event(const char* what, int thread, std::string_view name) {
  return concat("{\"name\":\"", what, "\",\"ph\":\"M\",\"pid\":1,\"tid\":", thread,
                ",\"args\":{\"name\":", json_string(name), "}}");
}

}  // namespace

std::string trace_json(const Profile& profile, const Roofline& roofline, const Json& about) {
  std::string text =
      concat("{\"displayTimeUnit\":\"ms\",\"otherData\":", about.dump(-1, ' ', false, Json::error_handler_t::replace),
             ",\"traceEvents\":[\n", name_event("process_name", 1, "suanli"));
  std::set<int> threads;
  for (const ProfileEvent& event : profile.events) {
    if (threads.insert(event.thread).second) {
      text += concat(",\n", name_event("thread_name", event.thread, concat("thread ", event.thread)));
    }
    const bool kernel = *event.implementation != '\0';
    text += concat(",\n{\"name\":", json_string(event.name), ",\"cat\":\"", kernel ? "kernel" : "phase",
                   "\",\"ph\":\"X\",\"pid\":1,\"tid\":", event.thread, ",\"ts\":", microseconds(event.start),
                   ",\"dur\":", microseconds(event.duration), ",\"args\":{", kernel ? arguments(event, roofline) : "",
                   "}}");
  }
  return text + "\n]}\n";
}

}  // namespace suanli
