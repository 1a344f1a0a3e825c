// A run moves between devices: what one saved, the other continues, with the same dropout and the losses of a run that
// stayed.
#include <gtest/gtest.h>

#include "train/tiny_run.h"

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

TEST(Checkpoint, ARunContinuedOnCudaAndBackHasTheLossesOfOneOnTheCpu) {
  const auto train = [](const std::string& name, Device device, int64_t last_step, const std::string& more) {
    const auto folder = fresh_folder(name);
    TinyRun run(folder,
                {"max_steps=12", "learning_rate=0.001", "lr_scheduler_type=constant", "logging_steps=1",
                 "save_strategy=steps", "save_steps=4", more},
                {}, "text-classification", device);
    run.arguments.max_steps = last_step;
    return std::pair(folder / ("checkpoint-" + std::to_string(last_step)), run.train().state.log_history);
  };
  const auto resume = [](const std::filesystem::path& folder) { return "resume_from_checkpoint=" + folder.string(); };
  const Json stayed = train("stayed", {}, 12, "seed=42").second;
  const auto first = train("moved_first", {}, 4, "seed=42").first;
  const auto second = train("moved_to_cuda", kCuda, 8, resume(first)).first;
  const Json moved = train("moved_back", {}, 12, resume(second)).second;
  ASSERT_EQ(moved.size(), stayed.size());
  for (size_t step = 0; step < 12; ++step) {
    // Sums of at most 16 terms in another order differ by 16 * 2^-24 = 1e-6; each of the four steps away adds as much.
    EXPECT_NEAR(moved[step]["loss"], stayed[step]["loss"], 1e-5) << step;
  }
  EXPECT_NE(moved[7]["loss"], moved[6]["loss"]);
  EXPECT_EQ(moved[3]["loss"], stayed[3]["loss"]) << "the part before the move is the same run";
}

}  // namespace
}  // namespace suanli
