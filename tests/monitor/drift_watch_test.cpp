/// DriftWatch: silent while nothing changes, and not when lengths, labels, words or vectors do.
#include "monitor/drift_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "base/random.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

/// Made-up traffic: what a text classifier sees of one request.
struct Traffic {
  double longer = 1;      ///< times the lengths
  double positive = 0.7;  ///< share of a label
  double unknown = 0.02;  ///< share of unknown tokens
  float moved = 0;        ///< of the vectors
  uint64_t seed = 0;
};

template <class See>
void send(const Traffic& traffic, int requests, const See& see) {
  RandomGenerator random({traffic.seed, 0, 11});
  for (int i = 0; i < requests; ++i) {
    const double characters = std::floor(traffic.longer * 100 * std::exp(0.5 * random.next_normal()));
    const auto tokens = static_cast<int64_t>(2 + characters / 5);
    int64_t unknown = 0;
    for (int64_t token = 0; token < tokens; ++token) unknown += random.next_uniform() < traffic.unknown;
    const auto text = observed_text(static_cast<int64_t>(characters), tokens, unknown);
    const bool positive = random.next_uniform() < traffic.positive;
    std::vector<float> vector(8);
    for (float& value : vector) value = random.next_normal() + traffic.moved;
    const double score = 1 - 0.5 * std::pow(random.next_uniform(), 2);
    see(std::vector<Observed>{text[0],
                              text[1],
                              text[2],
                              {kPrediction, std::string_view(positive ? "positive" : "negative")},
                              {kScore, score},
                              {kEmbedding, std::span<const float>(vector)}});
  }
}

BaselineProfile profile_of(const Traffic& traffic, int requests) {
  BaselineProfile profile;
  send(traffic, requests, [&](const std::vector<Observed>& observed) { profile.add(observed); });
  return profile;
}

std::vector<DriftScore> scores_of(const BaselineProfile& profile, const Traffic& traffic, int requests,
                                  const DriftOptions& options = {}) {
  DriftWatch watch(profile, options);
  send(traffic, requests, [&](const std::vector<Observed>& observed) { watch.observe(observed); });
  return watch.scores();
}

std::set<std::string> drifted(const std::vector<DriftScore>& scores) {
  std::set<std::string> names;
  for (const DriftScore& score : scores) {
    if (score.drifted) names.insert(score.feature);
  }
  return names;
}

TEST(DriftWatch, FalseAlarmsAreAsRareAsTheThresholdSays) {
  const BaselineProfile profile = profile_of({.seed = 1}, 5'000);
  constexpr int kWindows = 200;
  std::map<std::string, int> alarms;
  int rows = 0;
  for (uint64_t window = 0; window < kWindows; ++window) {
    // Half of the windows are full, half have only 150 values: there chance makes larger differences.
    for (const DriftScore& score : scores_of(profile, {.seed = 100 + window}, window % 2 == 0 ? 1'000 : 150)) {
      alarms[score.feature + " " + score.test] += score.drifted;
      ++rows;
    }
  }
  EXPECT_EQ(alarms.size(), 4 * 3U + 2 + 1);  // four features of numbers, one of categories, one of vectors
  EXPECT_EQ(rows, kWindows * 15);
  // A p-value of 0.01 gives at most 2 of 200; 200 0.01 and four deviations of sqrt(200 0.01 0.99) = 1.4 are 7.6.
  for (const auto& [row, count] : alarms) EXPECT_LE(count, 7) << row;
}

TEST(DriftWatch, FindsWhatHasChangedAndNothingElse) {
  const BaselineProfile profile = profile_of({.seed = 1}, 5'000);
  using Names = std::set<std::string>;
  // Of twice as many tokens the share of unknown ones varies less: that is a change, too.
  EXPECT_EQ(drifted(scores_of(profile, {.longer = 2, .seed = 2}, 600)),
            (Names{"text_characters", "text_tokens", "unknown_share"}));
  EXPECT_EQ(drifted(scores_of(profile, {.positive = 0.3, .seed = 3}, 600)), (Names{"prediction"}));
  EXPECT_EQ(drifted(scores_of(profile, {.unknown = 0.2, .seed = 4}, 600)), (Names{"unknown_share"}));
  EXPECT_EQ(drifted(scores_of(profile, {.moved = 0.3F, .seed = 5}, 600)), (Names{"embedding"}));
}

TEST(DriftWatch, EachTestFindsALargeChange) {
  const BaselineProfile profile = profile_of({.seed = 1}, 5'000);
  const Traffic changed = {.longer = 2, .positive = 0.3, .unknown = 0.2, .moved = 1, .seed = 2};
  int found = 0;
  for (const DriftScore& score : scores_of(profile, changed, 1'000)) {
    if (score.feature == kScore) continue;
    EXPECT_TRUE(score.drifted) << score.feature << " " << score.test << " " << score.statistic;
    EXPECT_GT(score.statistic, score.threshold);
    EXPECT_EQ(score.baseline_count, 5'000);
    EXPECT_EQ(score.window_count, 1'000);
    ++found;
  }
  EXPECT_EQ(found, 3 * 3 + 2 + 1);
}

TEST(DriftWatch, ForgetsWhatIsOlderThanItsWindow) {
  const BaselineProfile profile = profile_of({.seed = 1}, 5'000);
  DriftWatch watch(profile, {.window = 400});
  const auto see = [&](const std::vector<Observed>& observed) { watch.observe(observed); };
  send({.longer = 2, .seed = 2}, 1'000, see);
  EXPECT_TRUE(drifted(watch.scores()).contains("text_tokens"));
  send({.seed = 3}, 300, see);  // half of the old ones may still be there
  EXPECT_LE(watch.scores().front().window_count, 400);
  EXPECT_GE(watch.scores().front().window_count, 200);
  send({.seed = 4}, 100, see);
  EXPECT_EQ(drifted(watch.scores()), std::set<std::string>());
}

TEST(DriftWatch, ASmallChangeOfALargeWindowIsNoAlarm) {
  // Lengths 4% up in 20,000 requests: chance would not do that, but nobody wants to be woken for it.
  const BaselineProfile profile = profile_of({.seed = 1}, 20'000);
  const auto scores = scores_of(profile, {.longer = 1.04, .seed = 2}, 20'000, {.window = 20'000});
  bool significant = false;
  for (const DriftScore& score : scores) significant |= score.feature == kTextCharacters && score.p_value < 0.01;
  EXPECT_TRUE(significant);
  EXPECT_EQ(drifted(scores), std::set<std::string>());
}

TEST(DriftWatch, SeesValuesThatGoMissing) {
  BaselineProfile profile;
  for (int i = 0; i < 1'000; ++i) profile.add({"column.age", static_cast<double>(i % 60)});
  DriftWatch watch(profile);
  for (int i = 0; i < 300; ++i) {
    const Observed seen = {"column.age", i % 2 == 0 ? std::nan("") : static_cast<double>(i / 2 % 60)};
    watch.observe(std::span(&seen, 1));
  }
  const auto scores = watch.scores();
  const auto missing =
      std::find_if(scores.begin(), scores.end(), [](const auto& one) { return one.test == "missing"; });
  ASSERT_NE(missing, scores.end());
  EXPECT_TRUE(missing->drifted);
  EXPECT_EQ(missing->window_count, 300);
}

TEST(DriftWatch, SeesCategoriesThatAreNew) {
  BaselineProfile profile;
  for (int i = 0; i < 1'000; ++i) profile.add({kPrediction, std::string_view(i % 2 == 0 ? "a" : "b")});
  DriftWatch watch(profile);
  for (int i = 0; i < 300; ++i) {
    const Observed seen = {kPrediction, std::string_view(i % 4 >= 2 ? "new" : i % 4 == 0 ? "a" : "b")};
    watch.observe(std::span(&seen, 1));
  }
  EXPECT_EQ(drifted(watch.scores()), std::set<std::string>{"prediction"});
}

TEST(DriftWatch, PredictionsAreComparedWithLabelsWhereTheProfileHasNoPredictions) {
  BaselineProfile profile;
  for (int i = 0; i < 1'000; ++i) profile.add({kLabel, std::string_view(i % 5 == 0 ? "spam" : "ham")});
  DriftWatch watch(profile);
  for (int i = 0; i < 300; ++i) {
    const Observed seen = {kPrediction, std::string_view(i % 5 != 0 ? "spam" : "ham")};
    watch.observe(std::span(&seen, 1));
  }
  EXPECT_EQ(drifted(watch.scores()), std::set<std::string>{"prediction"});
}

TEST(DriftWatch, PassesOverWhatItsBaselineDoesNotHave) {
  DriftWatch watch(profile_of({.seed = 1}, 500));
  const std::vector<float> wide(9);
  for (int i = 0; i < 200; ++i) {
    const std::vector<Observed> seen = {{"no such feature", 1.0},
                                        {kPrediction, 1.0},
                                        {kEmbedding, std::span<const float>(wide)},
                                        {kTextTokens, std::string_view("a")}};
    watch.observe(seen);
  }
  EXPECT_TRUE(watch.scores().empty()) << "fewer values than are judged";
  EXPECT_THROW(DriftWatch(BaselineProfile(), {.window = 1}), UserError);
}

TEST(DriftWatch, CountsEveryObservationOfSeveralThreads) {
  BaselineProfile profile;
  for (int i = 0; i < 500; ++i) profile.add(observed_text(i, i, 0));
  DriftWatch watch(profile, {.window = 4'000'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&watch] {
      const auto request = observed_text(80, 20, 1);
      for (int i = 0; i < 100'000; ++i) {
        watch.observe(request);
        if (i % 20'000 == 0) static_cast<void>(watch.scores());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(watch.scores().size(), 8U);  // the share of unknown words is constant in this baseline
  for (const DriftScore& score : watch.scores()) EXPECT_EQ(score.window_count, 400'000) << score.feature;
}

TEST(DriftWatch, ObservingTakesLessThanTwoMicroseconds) {
  // Five features as of one request to a classifier, then also a vector of 384 values; the best of five repetitions.
  BaselineProfile profile = profile_of({.seed = 1}, 500);
  std::vector<float> vector(384);
  std::vector<Observed> request;
  const auto text = observed_text(80, 18, 1);
  request.assign(text.begin(), text.end());
  request.insert(request.end(), {{kPrediction, std::string_view("positive")}, {kScore, 0.9}});
  const auto seconds = [&](DriftWatch& watch) {
    double best = 1;
    for (int repetition = 0; repetition < 5; ++repetition) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 20'000; ++i) watch.observe(request);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 2e4);
    }
    return best;
  };
  DriftWatch watch(profile);
  const double plain = seconds(watch);
  BaselineProfile with_vectors;
  for (const auto& one : request) with_vectors.add(one);
  for (int i = 0; i < 300; ++i) {
    vector[static_cast<size_t>(i)] = 1;
    with_vectors.add({kEmbedding, std::span<const float>(vector)});
  }
  request.push_back({kEmbedding, std::span<const float>(vector)});
  DriftWatch wide(with_vectors);
  const double embedding = seconds(wide);
  const auto start = std::chrono::steady_clock::now();
  const size_t rows = wide.scores().size();
  const double scores = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("observe: %.0f ns, with a vector of 384: %.0f ns; scores of %zu rows: %.1f ms\n", plain * 1e9,
              embedding * 1e9, rows, scores * 1e3);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
  constexpr double kSlower = 50;
#else
  constexpr double kSlower = 1;
#endif
  EXPECT_LT(plain, 2e-6 * kSlower);
  EXPECT_LT(embedding, 4e-6 * kSlower);
}

TEST(BaselineProfile, IsReadBackAsItWasWritten) {
  const auto file = std::filesystem::path(testing::TempDir()) / "suanli_baseline_profile.json";
  const BaselineProfile profile = profile_of({.seed = 1}, 3'000);
  profile.save(file);
  EXPECT_EQ(BaselineProfile::load(file).to_json(), profile.to_json());
  std::filesystem::resize_file(file, BaselineProfile::kMostBytes + 1);
  EXPECT_THROW(BaselineProfile::load(file), UserError);
  std::filesystem::remove(file);
  EXPECT_THROW(BaselineProfile::load(file), UserError);
}

TEST(BaselineProfile, RefusesOtherVersionsAndFiles) {
  const Json good = profile_of({.seed = 1}, 200).to_json();
  const auto refused = [&](const std::function<void(Json&)>& change) {
    Json json = good;
    change(json);
    return error_of([&] { BaselineProfile::from_json(json, "baseline_profile.json"); });
  };
  EXPECT_NE(refused([](Json& json) { json["version"] = 2; }).find("expected version 1, got 2"), std::string::npos);
  EXPECT_NE(refused([](Json& json) { json["format"] = "other"; }).find("expected the format"), std::string::npos);
  refused([](Json& json) { json = Json::array(); });
  refused([](Json& json) { json.erase("features"); });
  refused([](Json& json) { json["features"]["score"]["kind"] = "date"; });
  refused([](Json& json) { json["features"]["score"]["kind"] = "vector"; });
  refused([](Json& json) { json["features"]["score"].erase("sketch"); });
  refused([](Json& json) { json["features"]["score"] = 1; });
  refused([](Json& json) { json["features"]["score"]["sketch"]["missing"] = -1; });
  refused([&](Json& json) {
    for (int i = 0; i < 2'000; ++i) json["features"][std::to_string(i)] = good["features"]["prediction"];
  });
}

TEST(BaselineProfile, AFeatureHasOneKind) {
  BaselineProfile profile;
  profile.add({"a", 1.0});
  EXPECT_NE(error_of([&] {
              profile.add({"a", std::string_view("x")});
            }).find("a number, got a category"),
            std::string::npos);
  EXPECT_THROW(profile.add({"\xFF", 1.0}), UserError);
  EXPECT_EQ(characters_of("na\u00efve \u4e2d\u6587"), 8);
}

}  // namespace
}  // namespace suanli::monitor
