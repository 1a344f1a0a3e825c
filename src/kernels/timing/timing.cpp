#include "kernels/timing/timing.h"

#include <algorithm>

#include "base/clock.h"

namespace suanli::kernels {

std::vector<KernelTiming> time_kernels(std::string_view filter, double seconds) {
  const std::vector<TimedCall> calls = timed_calls(filter);
  std::vector<std::vector<double>> samples(calls.size());
  std::vector<double> spent(calls.size());
  const double share = seconds / static_cast<double>(calls.size());
  for (const TimedCall& call : calls) call.run();
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (spent[i] >= share && samples[i].size() >= 3) continue;
      const double start = seconds_now();
      calls[i].run();
      samples[i].push_back(seconds_now() - start);
      spent[i] += samples[i].back();
      more = true;
    }
  }
  std::vector<KernelTiming> timings;
  for (size_t i = 0; i < calls.size(); ++i) {
    std::ranges::sort(samples[i]);
    timings.push_back(calls[i].timing);
    timings.back().seconds = samples[i][samples[i].size() / 2];
  }
  return timings;
}

}  // namespace suanli::kernels
