// Frechet distances against scipy, and what the definition says.
#include "train/frechet_distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"

namespace suanli {
namespace {

FeatureStatistics statistics_of(int64_t width, const std::vector<float>& rows) {
  FeatureStatistics out(width);
  out.add(rows);
  return out;
}

// scipy's sqrtm of the product, which is not symmetric, loses about half of the digits where it is near singular.
TEST(FrechetDistance, IsThatOfScipy) {
  const Json golden = read_json(std::string(SUANLI_TESTS_DIR) + "/golden/frechet/values.json");
  for (const Json& each : golden["cases"]) {
    const auto width = each["width"].get<int64_t>();
    const double expected = each["distance"].get<double>();
    const double distance = frechet_distance(statistics_of(width, each["a"].get<std::vector<float>>()),
                                             statistics_of(width, each["b"].get<std::vector<float>>()));
    EXPECT_NEAR(distance, expected, 1e-8 * expected) << width;
  }
}

// One number each: (m1 - m2)^2 + (s1 - s2)^2. The sets 0, 2 and 10, 16 have deviations sqrt(2) and sqrt(18).
TEST(FrechetDistance, OfOneFeatureIsTheFormula) {
  const double step = std::sqrt(18.0) - std::sqrt(2.0);
  EXPECT_NEAR(frechet_distance(statistics_of(1, {0, 2}), statistics_of(1, {10, 16})), 144 + step * step, 1e-10);
}

TEST(FrechetDistance, OfASetAndItselfIsNothingAlsoWhereFeaturesRepeatOneAnother) {
  const auto same = statistics_of(3, {1, 2, 2, 4, 5, 5, 0, 1, 1, 7, 3, 3});
  EXPECT_NEAR(frechet_distance(same, same), 0, 1e-9);
}

TEST(FeatureStatistics, RowsMayComeInParts) {
  FeatureStatistics parts(2);
  parts.add(std::vector<float>{1, 2});
  parts.add(std::vector<float>{3, 4, 5, 9});
  EXPECT_EQ(parts.count(), 3);
  EXPECT_EQ(parts.mean(), (std::vector<double>{3, 5}));
  EXPECT_EQ(parts.covariance(), (std::vector<double>{4, 7, 7, 13}));
}

}  // namespace
}  // namespace suanli
