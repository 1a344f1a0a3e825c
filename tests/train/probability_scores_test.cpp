// Scores of probabilities equal those of scikit-learn and scipy, also with ties; the threshold found is the best one.
#include "train/probability_scores.h"

#include <cmath>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "golden.h"

namespace suanli {
namespace {

constexpr double kTolerance = 1e-12;  // both sides compute in f64 over at most 200 rows

ProbabilityScores scores_of(const Json& c) {
  ProbabilityScores scores;
  for (size_t i = 0; i < c["truth"].size(); ++i) scores.add(c["probability"][i], c["truth"][i] == 1);
  return scores;
}

TEST(ProbabilityScores, EqualThoseOfScikitLearnAlsoWithTies) {
  const Json cases = golden("metrics/values.json")["probability"];
  ASSERT_EQ(cases.size(), 2U);
  for (const Json& c : cases) {
    const Scores scores = scores_of(c).scores();
    ASSERT_EQ(scores.size(), 6U);
    for (const auto& [name, value] : scores) EXPECT_NEAR(value, c[name].get<double>(), kTolerance) << name;
  }
}

TEST(ProbabilityScores, NoOtherThresholdDecidesBetter) {
  const Json cases = golden("metrics/values.json")["probability"];
  ASSERT_EQ(cases.size(), 2U);
  for (const Json& c : cases) {
    for (const ThresholdRule rule : {ThresholdRule::f1, ThresholdRule::youden}) {
      const float threshold = scores_of(c).best_threshold(rule);
      ConfusionMatrix matrix(2);
      for (size_t i = 0; i < c["truth"].size(); ++i) {
        matrix.add(c["truth"][i], c["probability"][i].get<float>() >= threshold ? 1 : 0);
      }
      const auto share = [&](int64_t truth) {
        return static_cast<double>(matrix.at(truth, 1)) /
               static_cast<double>(matrix.at(truth, 0) + matrix.at(truth, 1));
      };
      const bool f1 = rule == ThresholdRule::f1;
      const double got = f1 ? precision_recall(matrix.per_class()[1]).f1 : share(1) - share(0);
      EXPECT_NEAR(got, c[f1 ? "best_f1" : "best_youden"].get<double>(), kTolerance);
    }
  }
}

TEST(ProbabilityScores, CurvesEqualThoseOfScikitLearn) {
  const Json cases = golden("metrics/curves.json")["cases"];
  ASSERT_EQ(cases.size(), 2U);
  for (const Json& c : cases) {
    const ProbabilityScores scores = scores_of(c);
    const auto roc = scores.roc_curve(), precision = scores.precision_recall_curve();
    ASSERT_EQ(roc.size(), c["fpr"].size());
    for (size_t i = 0; i < roc.size(); ++i) {
      EXPECT_NEAR(roc[i].first, c["fpr"][i].get<double>(), kTolerance);
      EXPECT_NEAR(roc[i].second, c["tpr"][i].get<double>(), kTolerance);
    }
    const size_t last = c["recall"].size() - 1;
    ASSERT_EQ(precision.size(), last + 1);
    for (size_t i = 0; i <= last; ++i) {
      EXPECT_NEAR(precision[i].first, c["recall"][last - i].get<double>(), kTolerance);
      EXPECT_NEAR(precision[i].second, c["precision"][last - i].get<double>(), kTolerance);
    }
    size_t seen = 0;
    for (const ProbabilityScores::Bin& bin : scores.bins(10)) {
      if (bin.rows == 0) continue;
      const auto rows = static_cast<double>(bin.rows);
      ASSERT_LT(seen, c["calibration_mean"].size());
      EXPECT_NEAR(bin.probabilities / rows, c["calibration_mean"][seen].get<double>(), kTolerance);
      EXPECT_NEAR(bin.positives / rows, c["calibration_share"][seen].get<double>(), kTolerance);
      ++seen;
    }
    EXPECT_EQ(seen, c["calibration_mean"].size());
  }
}

TEST(ProbabilityScores, AClassWithoutRowsMakesRankingUndefined) {
  ProbabilityScores scores;
  scores.add(0.25F, true);
  scores.add(0.75F, true);
  for (const auto& [name, value] : scores.scores()) {
    const bool ranking = name == "roc_auc" || name == "ks" || name == "pr_auc";
    EXPECT_EQ(std::isnan(value), ranking) << name;
  }
  EXPECT_EQ(scores.best_threshold(ThresholdRule::f1), 0.5F);
}

TEST(ProbabilityScores, WhatIsNoProbabilityIsRefused) {
  const auto refusal = [](float p) { return error_of([p] { ProbabilityScores().add(p, true); }); };
  EXPECT_NE(refusal(NAN).find("probability in 0..1, got nan"), std::string::npos);
  EXPECT_NE(refusal(1.5F).find("1.5"), std::string::npos);
  EXPECT_NE(error_of([] { threshold_rule_named("best"); }).find("f1 or youden, got \"best\""), std::string::npos);
}

}  // namespace
}  // namespace suanli
