/// Pictures through the program: grids of generated ones, masks of labelled pixels.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "base/json.h"
#include "e2e/program.h"
#include "image/decode.h"
#include "image/png.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

/// A model of tests/golden with a processor that makes pictures of 16 x 16 pixels.
fs::path golden_model(const std::string& name, const std::string& from, size_t channels) {
  const fs::path folder = scratch(name);
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(fs::path(SUANLI_TESTS_DIR) / "golden/models" / from / file, folder / file,
                  fs::copy_options::overwrite_existing);
  }
  const std::vector<double> half(channels, 0.5);
  const Json processor = {{"image_processor_type", "ViTImageProcessor"},
                          {"size", {{"height", 16}, {"width", 16}}},
                          {"image_mean", half},
                          {"image_std", half}};
  write(folder / "preprocessor_config.json", processor.dump());
  return folder;
}

TEST(GenerateImages, OneGridForEachSeed) {
  const fs::path model = golden_model("gan", "dcgan", 1), out = scratch("grids");
  const auto grid = [&](const std::string& name, const std::string& more) {
    const ProgramRun run =
        suanli("generate --model " + model.string() + " --output " + (out / name).string() + " " + more);
    EXPECT_EQ(run.code, 0) << run.err;
    return read_image(out / name, {});
  };
  const Image five = grid("five.png", "--num_images 5 --seed 3");
  EXPECT_EQ(five.width, 3 * 16 + 2 * 2);  // two rows of at most three
  EXPECT_EQ(five.height, 2 * 16 + 2);
  EXPECT_EQ(five, grid("again.png", "--num_images 5 --seed 3"));
  EXPECT_NE(five, grid("other.png", "--num_images 5 --seed 4"));
  EXPECT_EQ(suanli("generate --num_images 0 --model " + model.string()).code, 2);
  const ProgramRun predicted = suanli("predict --model " + model.string(), "");
  EXPECT_EQ(predicted.code, 2);
  EXPECT_NE(predicted.err.find("suanli generate"), std::string::npos);
}

// A picture of one grey, and the same at twice the size: to the model they are one, and so each number of the small
// mask stands four times in the large one. Where the classes change, the padding of convolutions is seen.
TEST(PredictMasks, HaveTheSizeOfTheirPictures) {
  const fs::path model = golden_model("labels_pixels", "images/unet", 3), folder = scratch("masks");
  const Image picture(16, 16, 1, 200), doubled(32, 32, 1, 200);
  fs::create_directories(folder / "in/more");
  write_png(folder / "in/a.png", picture);
  write_png(folder / "in/more/a.png", doubled);
  const ProgramRun run = suanli("predict --model " + model.string() + " --input " + (folder / "in").string() +
                                " --output_dir " + (folder / "out").string());
  ASSERT_EQ(run.code, 0) << run.err;
  std::istringstream lines(run.out);
  std::vector<Mask> masks;
  for (std::string line; std::getline(lines, line);) {
    const Json answer = Json::parse(line);
    masks.push_back(read_mask(answer["mask"].get<std::string>(), {}));
    std::set<int> values;
    for (const Json& segment : answer["segments"]) {
      EXPECT_TRUE(segment["score"].is_null());
      EXPECT_EQ(segment["label"], "LABEL_" + std::to_string(segment["value"].get<int>()));
      values.insert(segment["value"].get<int>());
    }
    EXPECT_EQ(values, std::set<int>(masks.back().values.begin(), masks.back().values.end()));
  }
  ASSERT_EQ(masks.size(), 2U);
  ASSERT_EQ(masks[0].height, 16);
  ASSERT_EQ(masks[1].height, 32);
  EXPECT_GT(std::set<uint16_t>(masks[0].values.begin(), masks[0].values.end()).size(), 1U);
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t x = 0; x < 32; ++x) EXPECT_EQ(*masks[1].at(y, x), *masks[0].at(y / 2, x / 2)) << y << ' ' << x;
  }
}

}  // namespace
}  // namespace suanli::e2e
