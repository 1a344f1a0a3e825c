#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::optim {

double Schedule::learning_rate(int64_t done) const {
  if (kind == "constant") return peak;
  if (done < warmup) return peak * static_cast<double>(done) / static_cast<double>(std::max<int64_t>(1, warmup));
  if (kind == "constant_with_warmup") return peak;

  const double decay_steps = static_cast<double>(std::max<int64_t>(1, total - warmup));
  if (kind == "linear") return peak * std::max(0.0, static_cast<double>(total - done) / decay_steps);
  const double progress = static_cast<double>(done - warmup) / decay_steps;
  if (kind == "cosine") {
    return peak * std::max(0.0, 0.5 * (1.0 + std::cos(2.0 * std::numbers::pi * cycles * progress)));
  }
  if (kind == "polynomial") return done > total ? end : (peak - end) * std::pow(1.0 - progress, power) + end;
  throw UserError("lr_scheduler_type",
                  concat("expected linear, cosine, polynomial, constant or constant_with_warmup, got ", kind));
}

}  // namespace suanli::optim
