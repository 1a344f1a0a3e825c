#include "ops/recurrence_schedule.h"

#include <algorithm>
#include <numeric>

#include "ops/check.h"

namespace suanli::ops {

RecurrenceSchedule make_recurrence_schedule(const Tensor& offsets, int64_t longest, int64_t directions,
                                            const Tensor& data) {
  const Tensor host = on_host(offsets);
  const auto bounds = host.host<int32_t>();
  const size_t B = bounds.size() - 1;
  const auto D = static_cast<size_t>(directions);
  std::vector<size_t> order(B);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto length = [&](size_t b) { return bounds[b + 1] - bounds[b]; };
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return length(a) > length(b); });

  RecurrenceSchedule schedule;
  std::vector<int32_t> tokens, sorted(D * B), original(D * B);
  for (size_t d = 0; d < D; ++d) {
    schedule.begins = {0};
    for (int32_t step = 0; step < longest; ++step) {
      const size_t first = tokens.size();
      for (const size_t b : order) {
        if (length(b) <= step) break;
        tokens.push_back(d == 0 ? bounds[b] + step : bounds[b + 1] - 1 - step);
      }
      schedule.begins.push_back(schedule.begins.back() + static_cast<int64_t>(tokens.size() - first));
    }
    for (size_t i = 0; i < B; ++i) {
      sorted[d * B + i] = static_cast<int32_t>(order[i] * D + d);
      original[order[i] * D + d] = static_cast<int32_t>(d * B + i);
    }
  }
  const auto there = [&](const std::vector<int32_t>& values) {
    return beside(data, Tensor::from(values, {static_cast<int64_t>(values.size())}));
  };
  schedule.tokens = there(tokens);
  schedule.sorted = there(sorted);
  schedule.original = there(original);
  return schedule;
}

}  // namespace suanli::ops
