/// A profile as lines for a person: the costliest kernels beside the limits of the machine, and the phases.
#pragma once

#include "base/profile.h"
#include "base/roofline.h"

namespace suanli::cli {

bool has_kernels(const Profile& profile);

/// Prints on standard error the ten kernels that took the longest (each implementation and dtype for itself): calls,
/// milliseconds, share of the wall time, rate, and the share of the nearer limit, compute or memory (more than all of
/// memory: its data lay in a cache); then the time outside kernels, and the phases.
void print_profile(const Profile& profile, const Roofline& roofline);

}  // namespace suanli::cli
