// A detector from the command line: lists as those of Hugging Face's pipeline, mistakes are one message.
#include <gtest/gtest.h>

#include <sstream>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SUANLI_TESTS_DIR) / "golden";

/// The small detector of the golden values, with names for its classes.
fs::path detector(const std::string& test) {
  const fs::path folder = scratch(test);
  fs::copy_file(kGolden / "models/detection/model.safetensors", folder / "model.safetensors");
  Json config = read_json(kGolden / "models/detection/config.json");
  config.erase("num_labels");
  config["id2label"] = {{"0", "cat"}, {"1", "dog"}, {"2", "cup"}};
  write(folder / "config.json", config.dump());
  write(folder / "preprocessor_config.json", R"({"size": {"height": 64, "width": 64}})");
  return folder;
}

TEST(Detection, AnswersAListForEachPicture) {
  const std::string model = detector("detects").string(), files = (kGolden / "image/files/").string();
  const ProgramRun run =
      suanli("predict --precision f32 --model " + model, files + "grey_8.png\n" + files + "palette_4.png\n");
  ASSERT_EQ(run.code, 0) << run.err;
  std::istringstream lines(run.out);
  size_t pictures = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    const Json found = parse_json(line, "answer");
    ASSERT_TRUE(found.is_array());
    double before = 1;
    for (const Json& each : found) {
      EXPECT_LE(each["score"].get<double>(), before);
      before = each["score"].get<double>();
      EXPECT_TRUE(each["label"] == "cat" || each["label"] == "dog" || each["label"] == "cup");
      const Json& box = each["box"];
      EXPECT_LE(box["xmin"].get<int64_t>(), box["xmax"].get<int64_t>());
      EXPECT_LE(box["ymin"].get<int64_t>(), box["ymax"].get<int64_t>());
      EXPECT_GE(box["xmin"].get<int64_t>(), 0);
    }
    EXPECT_FALSE(found.empty());
  }
  EXPECT_EQ(pictures, 2U);
}

TEST(Detection, WhatCannotBeReadIsOneMessage) {
  const std::string model = detector("misses").string();
  const fs::path broken = scratch("broken_picture") / "broken.png";
  write(broken, read(kGolden / "image/files/grey_8.png").substr(0, 60));
  const ProgramRun run = suanli("predict --model " + model + " --input " + broken.string());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("broken.png"), std::string::npos) << run.err;
  EXPECT_EQ(suanli("predict --precision int8 --model " + model + " --input " + broken.string()).code, 2);
}

}  // namespace
}  // namespace suanli::e2e
