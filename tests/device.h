/// The device that the tests of ops and models run on.
#pragma once

#include "base/env.h"
#include "tensor/device.h"

namespace suanli {

/// SUANLI_TEST_DEVICE, else the CPU; kernels are registered. Indices stay on the CPU.
inline Device test_device() {
  static const Device device = device_named(environment("SUANLI_TEST_DEVICE").value_or("cpu"));
  return device;
}

}  // namespace suanli
