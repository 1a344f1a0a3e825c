/// The limits of this machine, measured: what every rate of a kernel stands beside.
#pragma once

#include "base/roofline.h"

namespace suanli::kernels {

/// The peaks of f32, bf16 (f32's where that is higher: bf16 may be computed so) and i8 as far as the machine has
/// instructions for them, and the bandwidth of reading memory. Takes about two seconds.
Roofline measured_roofline();

}  // namespace suanli::kernels
