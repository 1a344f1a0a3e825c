// Detection is scored as COCO scores it: equal to pycocotools on made-up pictures with crowds, ties and more than 100
// answers.
#include "train/detection_scores.h"

#include <cmath>

#include <gtest/gtest.h>

#include "golden.h"

namespace suanli {
namespace {

Box box_of(const Json& xywh) {
  const auto b = xywh.get<std::vector<double>>();
  return {b[0], b[1], b[0] + b[2], b[1] + b[3]};
}

TEST(DetectionScores, EqualThoseOfPycocotools) {
  for (const Json& data : golden("detection/values.json")["cases"]) {
    DetectionScores counts(data["classes"].get<int32_t>());
    for (int image = 0; image < data["images"].get<int>(); ++image) {
      std::vector<ImageObject> truth;
      std::vector<DetectedObject> found;
      for (const Json& t : data["truth"]) {
        if (t["image"] == image)
          truth.push_back({box_of(t["box"]), t["label"].get<int32_t>(), t["ignored"].get<bool>()});
      }
      for (const Json& f : data["found"]) {
        if (f["image"] == image)
          found.push_back({box_of(f["box"]), f["label"].get<int32_t>(), f["score"].get<float>()});
      }
      counts.add(truth, found);
    }
    const Scores scores = counts.scores();
    EXPECT_EQ(scores.size(), data["scores"].size());
    for (const auto& [name, value] : scores) {
      const double expected = data["scores"][name].get<double>();
      if (expected == -1) {
        EXPECT_TRUE(std::isnan(value)) << name << " = " << value;
      } else {
        EXPECT_NEAR(value, expected, 1e-12) << name;  // the same sums, in another order
      }
    }
  }
}

TEST(DetectionScores, APerfectAnswerScoresOneAndNoAnswerNothing) {
  const ImageObject object = {{10, 10, 60, 50}, 1};
  const DetectedObject right = {object.box, 1, 0.9F};
  DetectionScores perfect(3), silent(3);
  perfect.add({&object, 1}, {&right, 1});
  silent.add({&object, 1}, {});
  EXPECT_EQ(*find_score(perfect.scores(), "map"), 1);
  EXPECT_EQ(*find_score(perfect.scores(), "mar_100"), 1);
  EXPECT_EQ(*find_score(silent.scores(), "map_50"), 0);
}

}  // namespace
}  // namespace suanli
