/// Times every kernel at the sizes of a MiniLM-L6 training step (1,024 tokens, H 384, 12 heads of 32, FF 1536,
/// V 30522), all implementations that can run beside one another.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/device.h"

namespace suanli::kernels {

struct KernelTiming {
  std::string kernel, label, dtype, implementation;
  double flops = 0;    ///< of one call
  double bytes = 0;    ///< that one call must at least read and write
  double seconds = 0;  ///< median of a call
};

/// Every case whose "kernel/label/dtype/implementation" contains `filter`, timed in turns so that a slow moment of the
/// machine meets all, for about `seconds` in
/// all, at least three calls each. The reference is left out: it is not made to be fast. On a device with a queue a
/// sample is many calls in a row, waited for once. Throws UserError when the device is absent.
std::vector<KernelTiming> time_kernels(std::string_view filter, double seconds, Device device = {});

/// What time_kernels() runs; products.cpp, quantized.cpp and rows.cpp list them.
struct TimedCall {
  KernelTiming timing;
  std::function<void(Stream&)> run;
};
std::vector<TimedCall> timed_calls(std::string_view filter, Device device);

}  // namespace suanli::kernels
