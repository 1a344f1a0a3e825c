/// Pictures from the command line: enlarged into files, key points as lines, mistakes as one message.
#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& name) { return fs::path(SUANLI_TESTS_DIR) / "golden" / name; }
std::string picture() { return golden("image/files/grey_8.png").string(); }  // 13 x 11

/// Width and height of a PNG, from its header.
std::pair<int, int> png_size(const std::string& bytes) {
  const auto number = [&](size_t at) {
    int value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value * 256 + static_cast<unsigned char>(bytes.at(i));
    return value;
  };
  EXPECT_EQ(bytes.substr(1, 3), "PNG");
  return {number(16), number(20)};
}

TEST(Enlarging, WritesAPictureForEachAndALineThatSaysWhere) {
  const std::string model = golden("models/dense_images/edsr").string();
  const fs::path folder = scratch("enlarged");
  const ProgramRun run =
      suanli("predict --model " + model + " --input " + picture() + " --output_dir " + folder.string());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(png_size(read(folder / "grey_8.png")), std::make_pair(39, 33));
  const Json line = Json::parse(run.out);
  EXPECT_EQ(line["file"], picture());
  EXPECT_EQ(line["output"], (folder / "grey_8.png").string());
  EXPECT_EQ(line["width"], 39);
  EXPECT_EQ(line["height"], 33);
}

TEST(Enlarging, MistakesAreOneMessage) {
  const std::string model = golden("models/dense_images/edsr").string();
  const ProgramRun nowhere = suanli("predict --model " + model + " --input " + picture());
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.err.find("output_dir"), std::string::npos) << nowhere.err;
  const fs::path folder = scratch("enlarged_twice");
  const ProgramRun twice = suanli("predict --model " + model + " --input - --output_dir " + folder.string(),
                                  picture() + "\n" + picture() + "\n");
  EXPECT_EQ(twice.code, 2);
  EXPECT_NE(twice.err.find("different names"), std::string::npos) << twice.err;
  const ProgramRun text =
      suanli("predict --model " + small_classifier().string() + " --output_dir " + folder.string(), "good\n");
  EXPECT_EQ(text.code, 2);
  EXPECT_NE(text.err.find("output_dir"), std::string::npos) << text.err;
}

TEST(KeyPointsOfAPicture, AreALineOfJson) {
  const fs::path model = scratch("heatmap_model");
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(golden("models/dense_images/heatmap") / file, model / file, fs::copy_options::overwrite_existing);
  }
  write(model / "preprocessor_config.json", R"({"size": {"height": 32, "width": 32}})");
  const ProgramRun run = suanli("predict --model " + model.string() + " --input " + picture());
  ASSERT_EQ(run.code, 0) << run.err;
  const Json points = Json::parse(run.out)["key_points"];
  ASSERT_EQ(points.size(), 3U);
  for (const Json& each : points) {  // within the square of 17 pixels around the picture
    EXPECT_GE(each["x"].get<double>(), -2);
    EXPECT_LE(each["x"].get<double>(), 15);
    EXPECT_GE(each["y"].get<double>(), -3);
    EXPECT_LE(each["y"].get<double>(), 14);
  }
  write(model / "preprocessor_config.json", R"({"size": {"height": 64, "width": 64}})");
  const ProgramRun other = suanli("predict --model " + model.string() + " --input " + picture());
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("squares of 32"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace suanli::e2e
