// idx files, plain and gzipped: what they hold, and one message for each way in which they can be broken.
#include "data/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "base/error.h"
#include "data/image_dataset.h"

namespace suanli {
namespace {

class Idx : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / "idx_test";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  std::filesystem::path write_gzip(const std::string& name, const std::string& bytes) const {
    const gzFile file = gzopen((folder_ / name).c_str(), "wb");
    EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
    return folder_ / name;
  }
  /// An array of `sizes` with the values 0, 1, 2, ...
  static std::string idx(const std::vector<uint32_t>& sizes, int values) {
    std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
    for (const uint32_t size : sizes) {
      for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255);
    }
    for (int i = 0; i < values; ++i) bytes += static_cast<char>(i);
    return bytes;
  }
  static std::string error_of(const std::filesystem::path& file) {
    try {
      read_idx(file);
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

TEST_F(Idx, PlainAndGzippedFilesHoldTheSame) {
  for (const auto& file : {write("plain", idx({2, 3, 4}, 24)), write_gzip("packed.gz", idx({2, 3, 4}, 24))}) {
    const IdxArray array = read_idx(file);
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3, 4}));
    ASSERT_EQ(array.values.size(), 24U);
    EXPECT_EQ(array.values[23], 23);
  }
}

TEST_F(Idx, LabelsStandBesideTheImages) {
  const auto images = write_gzip("train-images-idx3-ubyte.gz", idx({2, 2, 2}, 8));
  EXPECT_THROW(read_idx_images(images), UserError) << "no labels yet";
  write_gzip("train-labels-idx1-ubyte.gz", idx({2}, 2));
  EXPECT_EQ(read_idx_images(images).examples[1].label, 1);
  EXPECT_EQ(read_idx_images(images).examples[1].image.values, (std::vector<uint8_t>{4, 5, 6, 7}));
  EXPECT_EQ(read_idx_images(images).class_names, (std::vector<std::string>{"0", "1"}));
  write_gzip("train-labels-idx1-ubyte.gz", idx({3}, 3));
  EXPECT_THROW(read_idx_images(images), UserError) << "another number of them";
  EXPECT_THROW(read_idx_images(write("pictures", idx({1, 1, 1}, 1))), UserError) << "no such name";
}

TEST_F(Idx, BrokenFilesAreNamedWithWhatIsWrong) {
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_PRED2(has, error_of(folder_ / "absent"), "found none");
  EXPECT_PRED2(has, error_of(write("empty", "")), "beginning with");
  EXPECT_PRED2(has, error_of(write("text", "hello, this is text")), "beginning with");
  EXPECT_PRED2(has, error_of(write("floats", std::string({0, 0, 13, 1}))), "beginning with");
  EXPECT_PRED2(has, error_of(write("sizes", std::string({0, 0, 8, 3, 0, 0}))), "3 sizes");
  EXPECT_PRED2(has, error_of(write("short", idx({2, 3}, 5))), "expected 6 bytes");
  EXPECT_PRED2(has, error_of(write("long", idx({2, 3}, 7))), "at least 7");
  // A header of 2^96 bytes, or of 2^30 that are not there, takes no memory.
  EXPECT_PRED2(has, error_of(write("huge", idx({0xffffffffU, 0xffffffffU, 0xffffffffU}, 0))), "2^31");
  EXPECT_PRED2(has, error_of(write("absent bytes", idx({1U << 30}, 3))), "got 3");
  const auto whole = write_gzip("cut.gz", idx({2000}, 2000));
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  EXPECT_NE(error_of(whole), "no error");
}

}  // namespace
}  // namespace suanli
