/// The learning rate as a function of the step: linear, cosine, polynomial and constant, with linear warm-up.
#pragma once

#include <cstdint>
#include <string>

namespace suanli::optim {

/// The formulas of transformers.get_scheduler (optimization.py). With s the number of optimizer steps done, w the steps
/// of warm-up and T all steps, the rate is `peak` times
///   s / max(1, w)                                             while s < w (not for constant)
///   linear:      max(0, (T - s) / max(1, T - w))
///   cosine:      max(0, (1 + cos(2 pi cycles p)) / 2),        p = (s - w) / max(1, T - w)
///   polynomial:  ((peak - end) (1 - p)^power + end) / peak,   `end` / peak after T
///   constant, constant_with_warmup: 1
struct Schedule {
  std::string kind = "linear";
  double peak = 5e-5;
  int64_t warmup = 0, total = 0;
  double end = 1e-7, power = 1, cycles = 0.5;

  /// The rate of the step after `done` >= 0 steps. Throws UserError when `kind` is none of the five.
  double learning_rate(int64_t done) const;
};

}  // namespace suanli::optim
