/// In which order a recurrence meets the tokens of packed sequences; internal to ops/.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace suanli::ops {

/// The order in which tokens are met: the sequences stand longest first, so that those with a token at a step are the
/// first ones, and the tokens of all steps one step after another.
struct RecurrenceSchedule {
  std::vector<int64_t> begins;  ///< [longest + 1]: step s has the places begins[s] to begins[s + 1] - 1
  Tensor tokens;                ///< [D T] i32: the token at each place, of each direction
  Tensor sorted, original;      ///< [D B] i32: rows of [B D, H] in the order of the schedule [D B, H], and back

  int64_t steps() const { return static_cast<int64_t>(begins.size()) - 1; }
  int64_t live(int64_t step) const { return begins[static_cast<size_t>(step) + 1] - begins[static_cast<size_t>(step)]; }
};

/// Of checked offsets [B+1] whose longest sequence has `longest` tokens; the tensors stand beside `data`.
RecurrenceSchedule make_recurrence_schedule(const Tensor& offsets, int64_t longest, int64_t directions,
                                            const Tensor& data);

}  // namespace suanli::ops
