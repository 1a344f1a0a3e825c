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
      {"driver for CUDA ", "kernels built with CUDA ", "compute capability 8.0", "machine code for 8.0",
       "6144 MiB free, 41 degrees, 345 of 1410 MHz, power limit 200 W of 400 W; `nvidia-smi -pl 400` raises it",
       "cuBLASLt ", "GPUDirect RDMA", "GPUDirect Storage"});
}

}  // namespace
}  // namespace suanli::e2e
