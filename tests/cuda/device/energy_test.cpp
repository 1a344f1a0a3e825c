// The energy of a GPU is its own counter's.
#include <gtest/gtest.h>

#include "tensor/device_energy.h"

namespace suanli {
namespace {

TEST(DeviceEnergy, IsTheCounterOfTheDevice) {
  const auto before = device_joules({DeviceType::cuda, 0}), after = device_joules({DeviceType::cuda, 0});
  ASSERT_TRUE(before && after);
  EXPECT_NEAR(*after - *before, 0.5, 1e-6) << "the stand-in's counter gains half a joule at each reading";
  EXPECT_FALSE(device_joules(Device{})) << "a CPU has no such counter";
}

}  // namespace
}  // namespace suanli
