#include "formats/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/checkpoint_example.h"
#include "formats/model_folder.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

void overwrite(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

TEST(Checkpoint, IsAModelFolderWithItsManifest) {
  const Scratch scratch;
  save_example(scratch.path(), 7);
  EXPECT_EQ(scratch.names(), std::vector<std::string>{"checkpoint-7"});
  const std::filesystem::path folder = scratch / "checkpoint-7";
  EXPECT_EQ(checkpoint_fault(folder), std::nullopt);
  EXPECT_EQ(ModelFolder::open(folder).tensor("encoder.weight").host<float>()[599], 7.0F);
  const Json manifest = read_json(folder / "manifest.json");
  EXPECT_EQ(manifest["step"], 7);
  EXPECT_EQ(manifest["files"]["1_Pooling/config.json"]["sha256"], sha256_file(folder / "1_Pooling/config.json"));
  EXPECT_EQ(manifest["files"].size() + 1, contents_of(folder).size()) << "every file but the manifest itself";
}

TEST(Checkpoint, WithoutCommitNothingIsLeft) {
  const Scratch scratch;
  {
    CheckpointWriter writer(scratch / "new" / "folder", 1);
    writer.add("a.txt", "a");
    EXPECT_EQ(find_latest_checkpoint(scratch / "new" / "folder").folder, std::nullopt);
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "new" / "folder"));
}

TEST(Checkpoint, TheNewestByNumberIsFound) {
  const Scratch scratch;
  EXPECT_EQ(find_latest_checkpoint(scratch / "missing").folder, std::nullopt);
  for (const int64_t step : {9, 100, 20}) save_example(scratch.path(), step);
  for (const char* name : {"checkpoint-", "checkpoint-007", "checkpoint-x", "checkpoint--1", "checkpoint-1e9",
                           "checkpoint-99999999999999999999", "tmp-checkpoint-500", "checkpoint-200.bak"}) {
    std::filesystem::create_directories(scratch / name);
  }
  const LatestCheckpoint latest = find_latest_checkpoint(scratch.path());
  EXPECT_EQ(latest.step, 100);
  EXPECT_EQ(latest.folder, scratch / "checkpoint-100");
  EXPECT_TRUE(latest.rejected.empty());
}

TEST(Checkpoint, DamagedOnesArePassedOverWithTheReason) {
  const std::vector<std::pair<std::string, void (*)(const std::filesystem::path&)>> damages = {
      {"rng_state.json is missing", [](const auto& folder) { std::filesystem::remove(folder / "rng_state.json"); }},
      {"its save did not finish", [](const auto& folder) { std::filesystem::remove(folder / "manifest.json"); }},
      {"not in the manifest", [](const auto& folder) { overwrite(folder / "added.txt", "x"); }},
      {"bytes, its manifest says", [](const auto& folder) { overwrite(folder / "config.json", "{}"); }},
      {"neither", [](const auto& folder) { std::filesystem::create_symlink("config.json", folder / "link"); }},
      {"which is not its name",
       [](const auto& folder) {
         std::filesystem::copy_file(folder.parent_path() / "checkpoint-1" / "manifest.json", folder / "manifest.json",
                                    std::filesystem::copy_options::overwrite_existing);
       }},
      {"not a manifest as it was written",
       [](const auto& folder) { overwrite(folder / "manifest.json", read_file(folder / "manifest.json") + "\n"); }},
      {"not valid JSON", [](const auto& folder) { overwrite(folder / "manifest.json", ""); }},
  };
  for (const auto& [reason, damage] : damages) {
    const Scratch scratch;
    save_example(scratch.path(), 1);
    save_example(scratch.path(), 2);
    damage(scratch / "checkpoint-2");
    const LatestCheckpoint latest = find_latest_checkpoint(scratch.path());
    EXPECT_EQ(latest.step, 1) << reason;
    ASSERT_EQ(latest.rejected.size(), 1u) << reason;
    EXPECT_EQ(latest.rejected[0].folder, scratch / "checkpoint-2");
    EXPECT_NE(latest.rejected[0].reason.find(reason), std::string::npos) << latest.rejected[0].reason;
  }
}

/// Every bit of the manifest, and one bit of every byte of the other files.
TEST(Checkpoint, OneFlippedBitAnywhereIsDetected) {
  const Scratch scratch;
  save_example(scratch.path(), 1);
  const std::filesystem::path folder = scratch / "checkpoint-1";
  int64_t flips = 0;
  for (const auto& [name, content] : contents_of(folder)) {
    const bool every_bit = name == "manifest.json";
    std::string changed = content;
    for (size_t i = 0; i < content.size(); ++i) {
      for (int bit = every_bit ? 0 : static_cast<int>(i % 8); bit < 8; bit += every_bit ? 1 : 8) {
        changed[i] = static_cast<char>(content[i] ^ 1 << bit);
        overwrite(folder / name, changed);
        EXPECT_TRUE(checkpoint_fault(folder)) << name << " byte " << i << " bit " << bit;
        ++flips;
      }
      changed[i] = content[i];
    }
    overwrite(folder / name, content);
  }
  EXPECT_EQ(checkpoint_fault(folder), std::nullopt);
  EXPECT_GE(flips, 10'000);
}

TEST(Checkpoint, SavingAStepAgainReplacesIt) {
  const Scratch scratch;
  save_example(scratch.path(), 1);
  {
    CheckpointWriter writer(scratch.path(), 1);
    writer.add("only.txt", "second");
    EXPECT_EQ(writer.commit(), scratch / "checkpoint-1");
  }
  EXPECT_EQ(scratch.names(), std::vector<std::string>{"checkpoint-1"});
  EXPECT_EQ(checkpoint_fault(scratch / "checkpoint-1"), std::nullopt);
  EXPECT_EQ(read_file(scratch / "checkpoint-1" / "only.txt"), "second");
}

TEST(Checkpoint, TheLimitKeepsTheNewestAndTheBest) {
  using Names = std::vector<std::string>;
  const auto left = [](int64_t limit, const char* best, bool damage_newest = false) {
    const Scratch scratch;
    for (const int64_t step : {1, 2, 3, 10}) save_example(scratch.path(), step);
    if (damage_newest) std::filesystem::remove(scratch / "checkpoint-10" / "config.json");
    const auto removed =
        apply_save_total_limit(scratch.path(), limit, best == nullptr ? std::filesystem::path() : scratch / best);
    EXPECT_EQ(removed.size() + scratch.names().size(), 4u);
    return scratch.names();
  };
  const Names all = {"checkpoint-1", "checkpoint-10", "checkpoint-2", "checkpoint-3"};
  EXPECT_EQ(left(2, nullptr), (Names{"checkpoint-10", "checkpoint-3"}));
  EXPECT_EQ(left(1, nullptr), (Names{"checkpoint-10"}));
  EXPECT_EQ(left(2, "checkpoint-1"), (Names{"checkpoint-1", "checkpoint-10"}));
  EXPECT_EQ(left(1, "checkpoint-2"), (Names{"checkpoint-10", "checkpoint-2"})) << "the best is kept beyond the limit";
  EXPECT_EQ(left(1, "checkpoint-10"), (Names{"checkpoint-10"}));
  EXPECT_EQ(left(3, "checkpoint-1"), (Names{"checkpoint-1", "checkpoint-10", "checkpoint-3"}));
  EXPECT_EQ(left(4, nullptr), all);
  EXPECT_EQ(left(0, nullptr), all) << "no limit";
  EXPECT_EQ(left(1, nullptr, true), all) << "nothing is deleted while the newest is not valid";
}

}  // namespace
}  // namespace suanli
