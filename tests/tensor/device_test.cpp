// Devices by name: what a run file may say, and what is answered where there is no such device.
#include <gtest/gtest.h>

#include "base/error.h"
#include "tensor/device.h"

namespace suanli {
namespace {

TEST(Device, TextAndNameAgree) {
  EXPECT_EQ(device_named("cpu"), Device{});
  EXPECT_EQ(device_named("cpu").text(), "cpu");
  EXPECT_EQ((Device{DeviceType::cuda, 3}.text()), "cuda:3");
}

// No test of this folder registers a device, so that here is none beside the CPU.
TEST(Device, AutoIsTheCpuWhereThereIsNothingElse) { EXPECT_EQ(device_named("auto"), Device{}); }

TEST(Device, OtherTextsNameTheChoices) {
  for (const char* text : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "cpu:0"}) {
    try {
      device_named(text);
      FAIL() << text;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("auto, cpu, cuda"), std::string::npos) << error.what();
    }
  }
}

TEST(Device, ADeviceThatIsAbsentSaysWhy) {
  for (const char* text : {"cuda", "cuda:0", "cuda:7"}) {
    try {
      device_named(text);
      FAIL() << text;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(device_problem(DeviceType::cuda)), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(device_count(DeviceType::cuda), 0);
  EXPECT_EQ(device_count(DeviceType::cpu), 1);
  EXPECT_EQ(device_problem(DeviceType::cpu), "");
}

}  // namespace
}  // namespace suanli
