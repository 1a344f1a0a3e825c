/// Tests of drift against scipy and scikit-learn (tests/golden/monitor), and their rate of false alarms.
#include "monitor/drift.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/random.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

// Formulas are the same; sums run in another order.
constexpr double kRounding = 1e-11;

const Json& golden() {
  static const Json json = read_json(std::string(SUANLI_TESTS_DIR) + "/golden/monitor/drift.json");
  return json;
}

Sample side(const Json& one, const std::string& name) {
  const auto values = one[name].get<std::vector<double>>();
  if (!one.contains(name + "_weights")) return sample_of(values);
  return sample_of(values, one[name + "_weights"].get<std::vector<double>>());
}

TEST(Drift, NumbersAgreeWithScipy) {
  ASSERT_EQ(golden()["numbers"].size(), 7U);
  for (const Json& one : golden()["numbers"]) {
    const Sample baseline = side(one, "baseline"), window = side(one, "window");
    const TestResult ks = kolmogorov_smirnov(baseline, window);
    EXPECT_NEAR(ks.statistic, one["ks"].get<double>(), kRounding);
    EXPECT_NEAR(ks.p_value, one["ks_p"].get<double>(), kRounding);
    if (window.count >= 100) {
      EXPECT_NEAR(ks.p_value, one["ks_p_exact"].get<double>(), 0.05);
    }
    const TestResult psi = population_stability(baseline, window);
    EXPECT_NEAR(psi.statistic, one["psi"].get<double>(), kRounding);
    EXPECT_NEAR(psi.p_value, one["psi_p"].get<double>(), kRounding);
    EXPECT_NEAR(wasserstein(baseline, window).distance, one["wasserstein"].get<double>(), kRounding);
    // The other way round nothing changes but the bins.
    EXPECT_NEAR(kolmogorov_smirnov(window, baseline).statistic, ks.statistic, kRounding);
    EXPECT_NEAR(wasserstein(window, baseline).distance, one["wasserstein"].get<double>(), kRounding);
  }
}

TEST(Drift, CategoriesAgreeWithScipy) {
  ASSERT_EQ(golden()["categories"].size(), 3U);
  for (const Json& one : golden()["categories"]) {
    const CountTable table = {one["baseline"], one["window"]};
    const TestResult chi = chi_square(table);
    EXPECT_NEAR(chi.statistic, one["chi_square"].get<double>(), kRounding * chi.statistic);
    EXPECT_NEAR(chi.p_value, one["chi_square_p"].get<double>(), kRounding);
    const TestResult js = jensen_shannon(table);
    EXPECT_NEAR(js.statistic, one["jensen_shannon"].get<double>(), kRounding);
  }
  for (const Json& one : golden()["chi_square_beyond"]) {
    EXPECT_NEAR(chi_square_beyond(one[0], one[1]), one[2].get<double>(), 1e-12 * one[2].get<double>());
  }
}

TEST(Drift, VectorsAgreeWithScikitLearn) {
  ASSERT_EQ(golden()["vectors"].size(), 3U);
  for (const Json& one : golden()["vectors"]) {
    const auto a = one["baseline"].get<std::vector<std::vector<float>>>();
    const auto b = one["window"].get<std::vector<std::vector<float>>>();
    const TestResult mmd = maximum_mean_discrepancy(a, b, {.permutations = 1'999, .seed = 3});
    EXPECT_NEAR(mmd.statistic, one["mmd"].get<double>(), 1e-7);  // the file has 8 decimals
    const double p = one["mmd_p"];
    // 2,000 draws here, 20,000 there, and the one that counts itself; four deviations.
    EXPECT_NEAR(mmd.p_value, p, 4 * std::sqrt(p * (1 - p) * (1 / 2e3 + 1 / 2e4)) + 1 / 2e3);
  }
}

TEST(Drift, JensenShannonIsTheShareOfChiSquareForSmallChanges) {
  const CountTable table = {{50'000, 30'000, 20'000}, {5'100, 2'950, 1'950}};
  EXPECT_NEAR(jensen_shannon(table).p_value, chi_square(table).p_value, 0.01 * chi_square(table).p_value);
  EXPECT_LT(chi_square(table).p_value, 0.2);
  EXPECT_EQ(jensen_shannon({{1, 0}, {0, 1}}).statistic, 1);
  EXPECT_EQ(jensen_shannon({{7, 3}, {70, 30}}).statistic, 0);
}

TEST(Drift, RareCategoriesArePooledSoThatEachIsExpectedFiveTimes) {
  const CountTable pooled = with_rare_pooled({{900, 1, 40, 2, 57}, {88, 1, 3, 4, 4}});
  // Expected in the window of 100: 89.8, 0.2, 3.9, 0.5, 5.5; the three rare ones together 4.6, so that the next joins.
  EXPECT_EQ(pooled.baseline, (std::vector<double>{100, 900}));
  EXPECT_EQ(pooled.window, (std::vector<double>{12, 88}));
  EXPECT_EQ(chi_square({{900, 1, 40, 2, 57}, {88, 1, 3, 4, 4}}).statistic, chi_square(pooled).statistic);
  const CountTable kept = with_rare_pooled({{50, 60}, {10, 90}});
  EXPECT_EQ(kept.baseline, (std::vector<double>{50, 60}));
  EXPECT_EQ(chi_square({{100}, {50}}).p_value, 1);
  EXPECT_EQ(chi_square({{1, 1}, {1, 1}}).p_value, 1);
}

TEST(Drift, EffectSizeDoesNotGrowWithTheSamples) {
  const auto w = [](double times) {
    const CountTable table = {{500 * times, 500 * times}, {60 * times, 40 * times}};
    return effect_size(chi_square(table).statistic, 1'000 * times, 100 * times);
  };
  EXPECT_NEAR(w(1), w(1'000), 1e-9);
  EXPECT_NEAR(w(1), 0.2, 0.002);  // shares of 0.5 and 0.6: |p - q| / sqrt(h (1 - h))
}

TEST(Drift, WhatCannotBeComparedIsRefused) {
  const Sample some = sample_of({1, 2}), none;
  EXPECT_THROW(kolmogorov_smirnov(some, none), UserError);
  EXPECT_THROW(population_stability(none, some), UserError);
  EXPECT_THROW(population_stability(some, some, 1), UserError);
  EXPECT_THROW(wasserstein(none, none), UserError);
  EXPECT_THROW(chi_square({{1, 2}, {0, 0}}), UserError);
  EXPECT_THROW(jensen_shannon({{1, 2}, {1}}), UserError);
  const std::vector<std::vector<float>> one = {{1}}, two = {{1}, {2}}, wide = {{1, 2}, {3, 4}};
  EXPECT_THROW(maximum_mean_discrepancy(one, two), UserError);
  EXPECT_THROW(maximum_mean_discrepancy(two, wide), UserError);
}

TEST(Drift, EqualVectorsAreNoDrift) {
  const std::vector<std::vector<float>> same(10, std::vector<float>{1, 2});
  const TestResult result = maximum_mean_discrepancy(same, same);
  EXPECT_EQ(result.statistic, 0);
  EXPECT_EQ(result.p_value, 1);
}

/// `trials` pairs of samples of one distribution: how often each p-value is below 0.01, and the mean of the ratio of
/// Wasserstein's distance to what is said of chance.
TEST(Drift, FalseAlarmsComeAsOftenAsThePValuesSay) {
  constexpr int kTrials = 400;
  int ks = 0, psi = 0, chi = 0, js = 0, mmd = 0;
  double ratio = 0;
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    RandomGenerator random({trial, 0, 5});
    std::vector<double> a(1'000), b(300);
    for (double& value : a) value = random.next_normal();
    for (double& value : b) value = random.next_normal();
    const Sample baseline = sample_of(a), window = sample_of(b);
    ks += kolmogorov_smirnov(baseline, window).p_value < 0.01;
    psi += population_stability(baseline, window).p_value < 0.01;
    const Distance distance = wasserstein(baseline, window);
    ratio += distance.distance / distance.by_chance / kTrials;
    CountTable table = {std::vector<double>(6), std::vector<double>(6)};
    for (int i = 0; i < 1'000; ++i) ++table.baseline[random.below(6)];
    for (int i = 0; i < 300; ++i) ++table.window[random.below(6)];
    chi += chi_square(table).p_value < 0.01;
    js += jensen_shannon(table).p_value < 0.01;
    if (trial < 200) {
      std::vector<std::vector<float>> x(30, std::vector<float>(3)), y = x;
      for (auto* vectors : {&x, &y}) {
        for (auto& vector : *vectors) {
          for (float& value : vector) value = random.next_normal();
        }
      }
      mmd += maximum_mean_discrepancy(x, y, {.permutations = 99, .seed = trial}).p_value <= 0.05;
    }
  }
  // 400 times 0.01, and four deviations of sqrt(400 0.01 0.99) = 2.
  EXPECT_LE(ks, 12);
  EXPECT_LE(psi, 12);
  EXPECT_LE(chi, 12);
  EXPECT_LE(js, 12);
  EXPECT_GE(psi + chi + js, 3);  // of 12: p-values that are too large would be silent
  EXPECT_LE(mmd, 10 + 4 * 3);
  EXPECT_GE(mmd, 10 - 3 * 3);
  EXPECT_NEAR(ratio, 1, 0.1);  // a deviation of about 0.45 for one trial, 0.0225 for the mean of 400
}

}  // namespace
}  // namespace suanli::monitor
