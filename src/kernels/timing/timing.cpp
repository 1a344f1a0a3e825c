#include "kernels/timing/timing.h"

#include <algorithm>

#include "base/clock.h"

namespace suanli::kernels {

std::vector<KernelTiming> time_kernels(std::string_view filter, double seconds, Device device) {
  DeviceBackend& memory = backend(device);
  Stream& stream = memory.default_stream();
  const int calls_of_sample = device == Device{} ? 1 : 20;
  const std::vector<TimedCall> calls = timed_calls(filter, device);
  std::vector<std::vector<double>> samples(calls.size());
  std::vector<double> spent(calls.size());
  const double share = seconds / static_cast<double>(calls.size());
  for (const TimedCall& call : calls) call.run(stream);
  memory.synchronize(stream);
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (spent[i] >= share && samples[i].size() >= 3) continue;
      const double start = seconds_now();
      for (int call = 0; call < calls_of_sample; ++call) calls[i].run(stream);
      memory.synchronize(stream);
      const double spent_now = seconds_now() - start;
      samples[i].push_back(spent_now / calls_of_sample);
      spent[i] += spent_now;
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
