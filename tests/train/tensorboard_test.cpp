// Event files hold exactly the records that TensorBoard's reader expects. (The tests of the program read such a file
// with TensorBoard itself where it is installed; here every byte is checked against the format.)
#include "train/tensorboard.h"

#include <cstring>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "tiny_run.h"

namespace suanli {
namespace {

/// Splits a file into its messages; fails the test where a length or checksum is wrong.
std::vector<std::string> messages(const std::string& file) {
  std::vector<std::string> found;
  for (size_t at = 0; at < file.size();) {
    uint64_t length = 0;
    uint32_t length_crc = 0, crc = 0;
    EXPECT_LE(at + 16, file.size());
    std::memcpy(&length, &file[at], 8);
    std::memcpy(&length_crc, &file[at + 8], 4);
    const auto masked = [](uint32_t c) { return (c >> 15 | c << 17) + 0xa282ead8U; };
    EXPECT_EQ(length_crc, masked(crc32c(std::string_view(file).substr(at, 8))));
    found.push_back(file.substr(at + 12, length));
    std::memcpy(&crc, &file[at + 12 + length], 4);
    EXPECT_EQ(crc, masked(crc32c(found.back())));
    at += 16 + length;
  }
  return found;
}

TEST(TensorBoard, Crc32cEqualsTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

TEST(TensorBoard, TagsAreThoseOfTheHuggingFaceTrainer) {
  EXPECT_EQ(tensorboard_tag("loss"), "train/loss");
  EXPECT_EQ(tensorboard_tag("eval_loss"), "eval/loss");
  EXPECT_EQ(tensorboard_tag("test_f1"), "test/f1");
  EXPECT_EQ(tensorboard_tag("evaluation"), "train/evaluation");
  EXPECT_EQ(tensorboard_tag("perf/tokens_per_second"), "perf/tokens_per_second");
}

TEST(TensorBoard, AScalarIsOneRecordWithTagValueAndStep) {
  EventFile events(fresh_folder("events"));
  EXPECT_TRUE(events.path().filename().string().starts_with("events.out.tfevents."));
  events.scalar("train/loss", 2.5, 300);
  events.flush();
  const auto found = messages(read_file(events.path()));
  ASSERT_EQ(found.size(), 2U);
  // After the nine bytes of wall_time: step (field 2), then file_version (3) or summary (5).
  EXPECT_EQ(found[0].substr(9), std::string("\x10\x00\x1a\x0d", 4) + "brain.Event:2");
  EXPECT_EQ(found[1].substr(9), std::string("\x10\xac\x02\x2a\x13\x0a\x11\x0a\x0a", 9) + "train/loss" +
                                    std::string("\x15\x00\x00\x20\x40", 5));
}

TEST(TensorBoard, AFolderThatCannotBeMadeIsNamed) {
  const auto file = fresh_folder("blocked") / "file";
  write_file_atomically(file, "a file, not a folder");
  EXPECT_THROW(EventFile{file / "runs"}, EnvironmentError);
}

}  // namespace
}  // namespace suanli
