// What `suanli doctor` says of a GPU.
#include <cstdlib>

#include <gtest/gtest.h>

#include "e2e/program.h"

namespace suanli::e2e {
namespace {

void expect_lines(std::initializer_list<const char*> parts) {
  const ProgramRun run = suanli("doctor");
  ASSERT_EQ(run.code, 0) << run.err;
  for (const char* part : parts) {
    EXPECT_NE(run.out.find(part), std::string::npos) << part << " is not in: " << run.out;
  }
}

TEST(Doctor, SaysWhatADeviceIsAndWhatItLacks) {
  setenv("LD_LIBRARY_PATH", CUDA_STAND_IN_DIR, 1);
  expect_lines(
      {"driver for CUDA ", "kernels built with CUDA ", "compute capability 9.0", "machine code for 9.0",
       "6144 MiB free, 41 degrees, 345 of 1410 MHz, power limit 200 W of 400 W; `nvidia-smi -pl 400` raises it",
       "cuBLASLt ", "cuDNN", "GPUDirect RDMA",
       "GPUDirect Storage: cuFile 1.15.1 brings weights straight from file systems that allow it"});
}

TEST(Doctor, SaysWhyWeightsCannotComeStraightFromStorage) {
  setenv("LD_LIBRARY_PATH", CUDA_STAND_IN_DIR, 1);
  setenv("SUANLI_STAND_IN_CUFILE", "refuse", 1);
  expect_lines({"no GPUDirect Storage: cuFile does not open its driver: error 5001"});
  unsetenv("SUANLI_STAND_IN_CUFILE");
  const std::string sysfs = getenv("SUANLI_SYSFS");
  setenv("SUANLI_SYSFS", "/nowhere", 1);
  expect_lines({"no GPUDirect Storage: the kernel has not loaded nvidia_fs", "weights come through pinned memory"});
  setenv("SUANLI_SYSFS", sysfs.c_str(), 1);
}

}  // namespace
}  // namespace suanli::e2e
