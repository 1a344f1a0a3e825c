// Networks for images in the sizes that are in use have as many parameters as those of transformers and torchvision.
#include <gtest/gtest.h>

#include "models/load.h"
#include "ops/initialize.h"

namespace suanli::models {
namespace {

int64_t parameters_of(const Json& json) {
  initialize();
  return new_model(json, {.head = Head::image_classification}).parameters->elements();
}

TEST(ImageSizes, AreThoseOfTheOthers) {
  Json json = {{"model_type", "mobilenet_v2"}, {"num_labels", 1000}};
  EXPECT_EQ(parameters_of(json), 3504872);
  json["depth_multiplier"] = 0.35;
  EXPECT_EQ(parameters_of(json), 1677128);
  json["weight_names"] = "torchvision";
  json["width_mult"] = 1.4;
  EXPECT_EQ(parameters_of(json), 6108776);
  EXPECT_EQ(parameters_of({{"model_type", "efficientnet_lite"}, {"num_labels", 1000}}), 4652008);
  EXPECT_EQ(parameters_of(read_json(std::filesystem::path(SUANLI_TESTS_DIR) / "../examples/vit_tiny.json")), 5353738);
}

}  // namespace
}  // namespace suanli::models
