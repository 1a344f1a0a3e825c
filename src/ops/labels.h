/// The checks that losses share; internal to ops/.
#pragma once

#include <optional>

#include "tensor/tensor.h"

namespace suanli::ops {

/// How many of the labels [rows] i32 are counted. Throws UserError unless each is in 0..classes-1 or `ignore`.
int64_t counted_labels(const char* op, const Tensor& labels, int64_t rows, int64_t classes,
                       std::optional<int32_t> ignore);

/// 1 / normalizer, 0 standing for `count` (at least 1). Throws UserError for a negative one.
double checked_scale(const char* op, double normalizer, int64_t count);

/// Throws UserError unless 0 <= label_smoothing < 1.
void check_label_smoothing(const char* op, double label_smoothing);

}  // namespace suanli::ops
