/// Precision is a policy of the run: which dtype activations have.
#pragma once

#include <string>

#include "tensor/dtype.h"

namespace suanli::nn {

/// "f32" and "bf16" as they say; "auto" is bf16 where the machine's measured bf16 rate is at least 1.5 times its f32
/// rate (AMX; fast dot products), else f32. Measuring takes 20 ms. Throws UserError for another name.
DType precision_named(const std::string& name);

}  // namespace suanli::nn
