/// What this machine reaches at most, measured: the yardstick beside every speed that Suanli reports.
#pragma once

#include "tensor/dtype.h"

namespace suanli::kernels {

/// Operations per second (a multiply-add is two) of the fastest instruction for `dtype` that machine() allows, from
/// registers or the first-level cache, on all threads: f32 fused multiply-add; bf16 and i8 AMX tiles or dot
/// products of pairs and quads. The best of several windows that together take `seconds`. 0 where the machine has no
/// instruction for the dtype.
double measured_peak(DType dtype, double seconds);

/// Bytes per second that all threads together read from memory, over a buffer larger than the caches. Takes about a
/// second.
double measured_read_bandwidth();

}  // namespace suanli::kernels
