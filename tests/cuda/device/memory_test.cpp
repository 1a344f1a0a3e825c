// A GPU that is too small: the run ends with one message that says who holds what, and a smaller batch trains.
#include <cstdlib>

#include <gtest/gtest.h>

#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

/// Beside the 32 MiB that products work in there is room for the small model with its optimizer and a few sentences.
constexpr const char* kMemory = "34476032";

ProgramRun train(int batch_size, const char* memory) {
  setenv("LD_LIBRARY_PATH", CUDA_STAND_IN_DIR, 1);
  setenv("SUANLI_STAND_IN_MEMORY", kMemory, 1);
  setenv("SUANLI_CUDA_MEMORY", memory, 1);
  const fs::path folder = scratch("memory");
  write(folder / "train.csv", separable_csv(96, 1));
  return suanli("train --model-name-or-path " + small_classifier().string() + " --train-file " +
                (folder / "train.csv").string() + " --output-dir " +
                (folder / ("run" + std::to_string(batch_size) + memory)).string() +
                " device=cuda do_train=true max_steps=2 per_device_train_batch_size=" + std::to_string(batch_size));
}

TEST(DeviceMemory, ExhaustedIsOneMessageWithTheLargestHoldersAndExitCodeOne) {
  const ProgramRun run = train(96, "device");
  EXPECT_EQ(run.code, 1) << run.err;
  for (const char* part :
       {"[cuda:0 memory] cannot allocate", " bytes for ", "(forward)", "bytes in use", "largest holders",
        "of 34476032 bytes of the device are free", "parameters (", "SUANLI_CUDA_MEMORY=managed"}) {
    EXPECT_NE(run.err.find(part), std::string::npos) << part << " is not in: " << run.err;
  }
}

TEST(DeviceMemory, ASmallerBatchTrains) {
  const ProgramRun run = train(4, "device");
  EXPECT_EQ(run.code, 0) << run.err;
}

TEST(DeviceMemory, UnifiedMemoryGrowsIntoTheHosts) {
  const ProgramRun run = train(96, "managed");
  EXPECT_EQ(run.code, 0) << run.err;
}

TEST(DeviceMemory, AnotherKindIsTheUsersMistake) {
  const ProgramRun run = train(4, "unified");
  EXPECT_EQ(run.code, 2) << run.err;
  EXPECT_NE(run.err.find("expected device or managed, got \"unified\""), std::string::npos) << run.err;
}

}  // namespace
}  // namespace suanli::e2e
