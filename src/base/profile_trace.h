/// A profile as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open.
#pragma once

#include <string>

#include "base/json.h"
#include "base/profile.h"
#include "base/roofline.h"

namespace suanli {

/// The JSON object form of Chrome's trace events: one complete event ("X", microseconds) for each scope, on the track
/// of its thread. A kernel has the category "kernel" and the arguments implementation, shape, dtype, flop, bytes, its
/// rates, and share_of_peak and share_of_bandwidth where `roofline` knows the limit; a phase has the category "phase".
/// `about` (the machine, the command) goes into "otherData".
std::string trace_json(const Profile& profile, const Roofline& roofline, const Json& about);

}  // namespace suanli
