// Scores counted batch by batch equal those of scikit-learn and scipy on the whole set.
// Both sides compute in f64 over at most 80 items; 1e-12 leaves room for another order of summation.
#include "train/metrics.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"
#include "golden.h"

namespace suanli {
namespace {

constexpr double kTolerance = 1e-12;

void expect_scores(const PrecisionRecall& got, const Json& wanted) {
  EXPECT_NEAR(got.precision, wanted[0].get<double>(), kTolerance);
  EXPECT_NEAR(got.recall, wanted[1].get<double>(), kTolerance);
  EXPECT_NEAR(got.f1, wanted[2].get<double>(), kTolerance);
}

TEST(Metrics, ClassificationScoresEqualThoseOfScikitLearn) {
  const Json cases = golden("metrics/values.json")["classification"];
  ASSERT_FALSE(cases.empty());
  for (const Json& c : cases) {
    ConfusionMatrix matrix(c["classes"].get<int64_t>());
    for (size_t i = 0; i < c["truth"].size(); ++i) matrix.add(c["truth"][i], c["predicted"][i]);
    EXPECT_NEAR(matrix.accuracy(), c["accuracy"].get<double>(), kTolerance);
    EXPECT_NEAR(matrix.matthews(), c["matthews"].get<double>(), kTolerance);
    expect_scores(average(matrix.per_class(), Average::macro), c["macro"]);
    expect_scores(average(matrix.per_class(), Average::micro), c["micro"]);
    expect_scores(average(matrix.per_class(), Average::weighted), c["weighted"]);
    if (c.contains("binary")) expect_scores(precision_recall(matrix.per_class()[1]), c["binary"]);
  }
}

TEST(Metrics, MultiLabelScoresEqualThoseOfScikitLearn) {
  const Json cases = golden("metrics/values.json")["multi_label"];
  ASSERT_FALSE(cases.empty());
  for (const Json& c : cases) {
    MultiLabelCounts counts(static_cast<int64_t>(c["truth"][0].size()));
    for (size_t i = 0; i < c["truth"].size(); ++i) {
      counts.add(c["truth"][i].get<std::vector<uint8_t>>(), c["predicted"][i].get<std::vector<uint8_t>>());
    }
    const Scores scores = counts.scores();
    EXPECT_NEAR(*find_score(scores, "accuracy"), c["accuracy"].get<double>(), kTolerance);
    EXPECT_NEAR(*find_score(scores, "precision"), c["micro"][0].get<double>(), kTolerance);
    EXPECT_NEAR(*find_score(scores, "recall"), c["micro"][1].get<double>(), kTolerance);
    EXPECT_NEAR(*find_score(scores, "f1"), c["micro"][2].get<double>(), kTolerance);
    EXPECT_NEAR(*find_score(scores, "f1_macro"), c["macro"][2].get<double>(), kTolerance);
    EXPECT_NEAR(*find_score(scores, "f1_weighted"), c["weighted"][2].get<double>(), kTolerance);
  }
}

TEST(Metrics, RegressionScoresEqualThoseOfScipyAlsoWithTies) {
  const Json cases = golden("metrics/values.json")["regression"];
  ASSERT_FALSE(cases.empty());
  for (const Json& c : cases) {
    RegressionCounts counts;
    for (size_t i = 0; i < c["truth"].size(); ++i) counts.add(c["truth"][i], c["predicted"][i]);
    EXPECT_NEAR(counts.mse(), c["mse"].get<double>(), kTolerance);
    EXPECT_NEAR(counts.mae(), c["mae"].get<double>(), kTolerance);
    EXPECT_NEAR(counts.r2(), c["r2"].get<double>(), kTolerance);
    EXPECT_NEAR(counts.pearson(), c["pearson"].get<double>(), kTolerance);
    EXPECT_NEAR(counts.spearman(), c["spearman"].get<double>(), kTolerance);
  }
}

TEST(Metrics, UndefinedScoresAreNaNAndNeverAPlausibleNumber) {
  EXPECT_TRUE(std::isnan(ConfusionMatrix(2).accuracy()));
  EXPECT_TRUE(std::isnan(MeanLoss().mean()));
  RegressionCounts constant;
  for (const float prediction : {1.0F, 2.0F, 3.0F}) constant.add(5.0F, prediction);
  EXPECT_TRUE(std::isnan(constant.pearson()));
  EXPECT_TRUE(std::isnan(constant.spearman()));
  RegressionCounts broken;
  for (const float prediction : {1.0F, NAN, 3.0F}) broken.add(prediction * 2, prediction);
  for (const auto& [name, value] : broken.scores()) EXPECT_TRUE(std::isnan(value)) << name;
}

TEST(Metrics, MeanLossWeightsBatchesByTheirItems) {
  MeanLoss loss;
  loss.add(1.0, 3);
  loss.add(5.0, 1);
  EXPECT_DOUBLE_EQ(loss.mean(), 2.0);
  EXPECT_DOUBLE_EQ(loss.perplexity(), std::exp(2.0));
}

TEST(Metrics, ImpossibleClassesAreRefusedWithTheirValues) {
  ConfusionMatrix matrix(3);
  EXPECT_THROW(matrix.add(3, 0), UserError);
  EXPECT_THROW(matrix.add(0, -1), UserError);
  EXPECT_THROW(ConfusionMatrix(0), UserError);
  EXPECT_THROW(MultiLabelCounts(2).add(std::vector<uint8_t>{1}, std::vector<uint8_t>{1, 0}), UserError);
}

TEST(Metrics, ConfusionMatrixTextShowsEveryCountUnderItsLabel) {
  ConfusionMatrix matrix(2);
  matrix.add(0, 1);
  matrix.add(1, 1);
  const std::vector<std::string> labels = {"no", "yes"};
  EXPECT_EQ(matrix.text(labels),
            " truth \\ predicted    no   yes\n"
            "                no     0     1\n"
            "               yes     0     1\n");
}

}  // namespace
}  // namespace suanli
