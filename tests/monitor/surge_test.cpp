// Detectors of surges keep the false alarm rates and delays of their theory, in seeded simulations.
#include "monitor/surge.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

double exponential(RandomGenerator& random, double rate) { return -std::log(1 - random.next_uniform()) / rate; }

/// Standard normal steps shifted by `shift` until the first alarm.
int64_t run_length(RandomGenerator& random, double k, double h, double shift) {
  const auto detector = make_surge_detector(CusumOptions{.k = k, .h = h, .mean = 0.0, .deviation = 1.0});
  for (int64_t step = 1;; ++step) {
    if (!detector->observe(static_cast<double>(step), random.next_normal() + shift).empty()) return step;
  }
}

TEST(Cusum, RunLengthsAreThoseOfTheIntegralEquation) {
  std::ifstream table(SUANLI_TESTS_DIR "/golden/monitor/cusum_arl.tsv");
  std::string line;
  std::getline(table, line);
  RandomGenerator random({.seed = 1});
  int rows = 0;
  for (double k, h, shift, expected; table >> k >> h >> shift >> expected; ++rows) {
    constexpr int kRuns = 1500;
    double sum = 0, squares = 0;
    for (int run = 0; run < kRuns; ++run) {
      const auto length = static_cast<double>(run_length(random, k, h, shift));
      sum += length;
      squares += length * length;
    }
    const double mean = sum / kRuns;
    const double error = std::sqrt((squares / kRuns - mean * mean) / kRuns);
    EXPECT_NEAR(mean, expected, 4 * error) << "k " << k << " h " << h << " shift " << shift;
    if (k == 0.5 && h == 5 && shift == 1) {
      EXPECT_NEAR(expected, 10.4, 0.05) << "Montgomery's table";
    }
  }
  EXPECT_EQ(rows, 16);
}

TEST(Cusum, AnAlarmEndsAsFastAsAShiftByTwoKIsFound) {
  RandomGenerator random({.seed = 2});
  constexpr int kRuns = 3000;
  double sum = 0, squares = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto detector = make_surge_detector(CusumOptions{.mean = 0.0, .deviation = 1.0});
    ASSERT_EQ(detector->observe(0, 100).size(), 1u);
    double length = 0;
    do {
      detector->observe(++length, random.next_normal());
    } while (detector->active());
    sum += length;
    squares += length * length;
  }
  const double mean = sum / kRuns;
  EXPECT_NEAR(mean, 10.3760, 4 * std::sqrt((squares / kRuns - mean * mean) / kRuns)) << "k 0.5, h 5, shift 1";
}

TEST(Cusum, LearnsMeanAndDeviationFirst) {
  const auto detector = make_surge_detector(CusumOptions{.k = 0.5, .h = 4, .learn = 4});
  for (const double value : {98.0, 102.0, 98.0, 102.0}) EXPECT_TRUE(detector->observe(0, value).empty());
  const Json state = detector->state();
  EXPECT_EQ(state["mean"], 100.0);
  EXPECT_NEAR(state["deviation"].get<double>(), std::sqrt(16.0 / 3), 1e-12);
  EXPECT_TRUE(detector->observe(1, 110).empty()) << "4.33 deviations less k are below h";
  const auto changes = detector->observe(2, 102);
  ASSERT_EQ(changes.size(), 1u) << "0.37 more of them are above";
  EXPECT_TRUE(changes[0].began);
  EXPECT_EQ(changes[0].time, 2);
  EXPECT_EQ(changes[0].expected, 100);
}

TEST(Cusum, CountsOfWindowsAreSteps) {
  const auto detector = make_surge_detector(CusumOptions{.k = 2, .h = 6, .window = 10, .mean = 0.0, .deviation = 1.0});
  for (const double time : {0.0, 1.0, 2.0, 3.0, 4.0}) EXPECT_TRUE(detector->observe(time, 2).empty());
  const auto changes = detector->advance(10);
  ASSERT_EQ(changes.size(), 1u) << "10 events less 2 are above 6";
  EXPECT_EQ(changes[0].time, 10);
  EXPECT_EQ(changes[0].value, 10);
  const auto silence = detector->advance(1e18);
  ASSERT_EQ(silence.size(), 1u);
  EXPECT_EQ(silence[0].began, false);
}

/// Share of windows with an alarm in a Poisson stream of `mean` events a window.
double false_alarms(double mean, int64_t baseline, double alpha, int windows) {
  const auto detector =
      make_surge_detector(PoissonSurgeOptions{.window = 60, .alpha = alpha, .min_count = 1, .baseline = baseline});
  RandomGenerator random({.seed = 3, .step = static_cast<uint32_t>(baseline)});
  const double end = 60.0 * windows;
  int alarms = 0;
  detector->advance(0);
  for (double time = exponential(random, mean / 60); time < end; time += exponential(random, mean / 60)) {
    for (const SurgeChange& change : detector->observe(time, 1)) alarms += change.began ? 1 : 0;
  }
  return static_cast<double>(alarms) / windows;
}

TEST(PoissonSurge, FalseAlarmsStayBelowAlphaHoweverLittleWasLearned) {
  constexpr double kAlpha = 0.01;
  constexpr int kWindows = 60000;
  const double error = std::sqrt(kAlpha / kWindows);
  for (const int64_t baseline : {1, 5, 60}) {
    const double rate = false_alarms(10, baseline, kAlpha, kWindows);
    EXPECT_LE(rate, kAlpha + 4 * error) << baseline;
    EXPECT_GE(rate, kAlpha / 4) << baseline << ": counts are whole numbers, but no test is that much too careful";
  }
}

TEST(PoissonSurge, FindsARaisedRateAsOftenAsItsTailSays) {
  const PoissonSurgeOptions options{.window = 60, .alpha = 0.001, .min_count = 5, .baseline = 60};
  int threshold = 0;
  while (surge_probability(threshold, 600, 60) >= options.alpha) ++threshold;
  double found = 0, term = std::exp(-25.0);  // P(X >= threshold) of 25 events a window
  for (int count = 0; count < 200; ++count, term *= 25.0 / count) found += count >= threshold ? term : 0;

  constexpr int kRuns = 4000;
  RandomGenerator random({.seed = 4});
  int first_window = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto detector = make_surge_detector(options);
    detector->advance(0);
    for (int window = 0; window < 60; ++window) ASSERT_TRUE(detector->observe(window * 60 + 1, 10).empty());
    int count = 0;
    for (double time = 3600 + exponential(random, 25.0 / 60); time < 3660; time += exponential(random, 25.0 / 60)) {
      const auto changes = detector->observe(time, 1);
      if (++count != threshold) {
        ASSERT_TRUE(changes.empty()) << count << " of " << threshold;
        continue;
      }
      ASSERT_EQ(changes.size(), 1u) << "it begins with the event that decides, not at the end of the window";
      EXPECT_EQ(changes[0].time, time);
      EXPECT_EQ(changes[0].expected, 10);
      ++first_window;
    }
  }
  EXPECT_NEAR(first_window / static_cast<double>(kRuns), found, 4 * std::sqrt(found * (1 - found) / kRuns));
}

TEST(PoissonSurge, ProbabilityIsTheBinomialAndThePoissonTail) {
  EXPECT_EQ(surge_probability(0, 5, 3), 1);
  EXPECT_NEAR(surge_probability(3, 0, 1), 1.0 / 8, 1e-15) << "three of three events in the second of two windows";
  EXPECT_NEAR(surge_probability(2, 2, 3), 1 - std::pow(0.75, 4) - 4 * 0.25 * std::pow(0.75, 3), 1e-15);
  double tail = 0, term = std::exp(-2.0);
  for (int count = 0; count < 60; ++count, term *= 2.0 / count) tail += count >= 8 ? term : 0;
  EXPECT_NEAR(surge_probability(8, 2e7, 1e7), tail, 1e-5 * tail) << "a rate known exactly: P(X >= 8) of mean 2";
}

/// 20 windows of 10 s with two events each.
std::unique_ptr<SurgeDetector> quiet_stream(int64_t baseline) {
  auto detector = make_surge_detector(PoissonSurgeOptions{.window = 10, .baseline = baseline});
  detector->advance(0);
  for (int window = 0; window < 20; ++window) EXPECT_TRUE(detector->observe(window * 10 + 5, 2).empty());
  return detector;
}

TEST(PoissonSurge, EndsWithTheFirstQuietWindow) {
  const auto detector = quiet_stream(20);
  EXPECT_EQ(detector->observe(201, 14).size(), 1u);
  EXPECT_TRUE(detector->observe(211, 14).empty()) << "one alarm, not one a window";
  EXPECT_TRUE(detector->observe(221, 2).empty());
  const auto changes = detector->advance(230);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_FALSE(changes[0].began);
  EXPECT_EQ(changes[0].time, 230);
  EXPECT_EQ(changes[0].expected, 2) << "the windows of the alarm were not learned";
}

TEST(PoissonSurge, ALastingLevelBecomesTheBaseline) {
  const auto detector = quiet_stream(5);
  EXPECT_EQ(detector->observe(201, 14).size(), 1u);
  for (const double time : {211.0, 221.0, 231.0, 241.0}) EXPECT_TRUE(detector->observe(time, 14).empty());
  ASSERT_EQ(detector->advance(250).size(), 1u) << "five windows have passed";
  EXPECT_TRUE(detector->observe(251, 14).empty()) << "the new level is no surge";
  EXPECT_FALSE(detector->active());
}

TEST(PoissonSurge, AnUnknownTimeIsNeitherJudgedNorLearned) {
  const auto detector = quiet_stream(20);
  detector->advance(200);
  const Json before = detector->state();
  detector->observe(201, 3);
  detector->skip(1000);
  EXPECT_TRUE(detector->advance(1001).empty());
  EXPECT_EQ(detector->state(), before);
}

TEST(PoissonSurge, ALongSilenceIsLearnedInBoundedTime) {
  const auto detector = quiet_stream(20);
  EXPECT_TRUE(detector->advance(1e17).empty());
  EXPECT_EQ(detector->state()["baseline"], std::vector<double>(20, 0.0));
  EXPECT_TRUE(detector->observe(5, 1).empty()) << "a clock that runs back";
}

TEST(SurgeDetector, GoesOnFromItsState) {
  const auto first = quiet_stream(20);
  EXPECT_EQ(first->observe(201, 14).size(), 1u);
  const auto second = make_surge_detector(PoissonSurgeOptions{.window = 10, .baseline = 20});
  second->restore(first->state());
  EXPECT_TRUE(second->active());
  EXPECT_EQ(second->state(), first->state());
  second->advance(300);
  EXPECT_EQ(second->advance(310).size(), 1u) << "its first window is quiet";
  const auto other = make_surge_detector(CusumOptions{});
  EXPECT_NE(error_of([&] { other->restore(first->state()); }).find("expected the state of a CUSUM"), std::string::npos);
}

TEST(SurgeDetector, RefusesWhatItCannotMean) {
  EXPECT_NE(error_of([] { make_surge_detector(CusumOptions{.k = 0}); }).find("expected k to be above 0, got 0"),
            std::string::npos);
  EXPECT_NE(error_of([] { make_surge_detector(CusumOptions{.mean = 1.0}); }).find("mean and deviation together"),
            std::string::npos);
  EXPECT_NE(error_of([] { make_surge_detector(PoissonSurgeOptions{.window = 0}); }).find("window"), std::string::npos);
  EXPECT_NE(error_of([] { make_surge_detector(PoissonSurgeOptions{.alpha = 1}); }).find("alpha"), std::string::npos);
  const auto detector = make_surge_detector(PoissonSurgeOptions{});
  error_of([&] { detector->observe(0, -1); });
  error_of([&] { detector->observe(0, NAN); });
}

}  // namespace
}  // namespace suanli::monitor
