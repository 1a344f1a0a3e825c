// Windows keep to their part of time, scores are those of the definitions, and a forecaster beats the naive forecast.
#include "train/forecasting.h"

#include <cmath>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "tiny_run.h"
#include "train/run.h"
#include "train/series.h"

namespace suanli {
namespace {

models::ForecastConfig config_of(int64_t context, int64_t steps, int64_t season = 1) {
  Json json = models::forecaster_json();
  json["context_length"] = context;
  json["prediction_length"] = steps;
  json["seasonality"] = season;
  json["series_mean"] = 10;
  json["series_scale"] = 2;
  return models::forecast_config(json, "test");
}

TEST(Series, WindowsForecastTheirPartAloneAndNothingThatWasMissing) {
  const Series series = {.file = "f", .values = {10, 12, 14, 16, 18, 20, 22, 24}, .filled = {0, 0, 0, 1, 0, 0, 0, 0}};
  const Dataset all = windows_of(series, 0, 8, config_of(2, 2), -1);
  ASSERT_EQ(all.rows.size(), 3U) << "those that begin at 2 and 3 would forecast the missing value";
  EXPECT_EQ(all.rows[0].row, 4);
  EXPECT_EQ(all.rows[0].features, (std::vector<float>{2, 3})) << "(x - 10) / 2, the filled one among the context";
  EXPECT_EQ(all.rows[0].targets, (std::vector<float>{4, 5}));
  const Dataset later = windows_of(series, 5, 8, config_of(2, 2), -1);
  ASSERT_EQ(later.rows.size(), 2U);
  EXPECT_EQ(later.rows[0].row, 5) << "the context reaches back, the forecast does not";
  EXPECT_EQ(windows_of(series, 0, 8, config_of(2, 2), 1).rows.size(), 1U);
  EXPECT_NE(error_of([&] { windows_of(series, 7, 8, config_of(2, 2), -1); }).find("context_length"), std::string::npos);
}

TEST(Series, ReadsAColumnFillsGapsAndRefusesWhatIsNoNumber) {
  const auto folder = fresh_folder("series");
  write_file_atomically(folder / "a.csv", "date,x\n2020,\n2021,1.5\n2022,NA\n2023,2\n");
  const Series series = read_series(folder / "a.csv", {}, "x");
  EXPECT_EQ(series.values, (std::vector<double>{1.5, 1.5, 2}));
  EXPECT_EQ(series.filled, (std::vector<uint8_t>{0, 1, 0}));
  write_file_atomically(folder / "b.csv", "x\n1\nmany\n");
  EXPECT_NE(error_of([&] { read_series(folder / "b.csv", {}, "x"); }).find("b.csv:3"), std::string::npos);
  EXPECT_NE(error_of([&] { read_series(folder / "b.csv", {}, "y"); }).find('y'), std::string::npos);
}

TEST(Series, ScalingAndNaiveErrorAreThoseOfTheTrainingValues) {
  Json json = {{"seasonality", 2}};
  fit_series(std::vector<double>{1, 2, 3, 6}, json);
  EXPECT_DOUBLE_EQ(json["series_mean"], 3);
  EXPECT_DOUBLE_EQ(json["series_scale"], std::sqrt((4 + 1 + 0 + 9) / 4.0));
  EXPECT_DOUBLE_EQ(json["naive_error"], (2 + 4) / 2.0);
  EXPECT_NE(error_of([&] { fit_series(std::vector<double>{1, 2}, json); }).find("season"), std::string::npos);
}

TEST(Series, TheNaiveForecastRepeatsTheLastSeason) {
  EXPECT_EQ(seasonal_naive(std::vector<float>{9, 1, 2, 3}, 3, 5), (std::vector<float>{1, 2, 3, 1, 2}));
  EXPECT_EQ(seasonal_naive(std::vector<float>{9, 1}, 1, 2), (std::vector<float>{1, 1}));
}

TEST(ForecastErrors, AreThoseOfTheirDefinitions) {
  ForecastErrors errors(4);
  errors.add(10, 14);
  errors.add(0, 0);
  errors.add(-5, 5);
  const Scores scores = errors.scores();
  EXPECT_DOUBLE_EQ(*find_score(scores, "mae"), 14.0 / 3);
  EXPECT_DOUBLE_EQ(*find_score(scores, "rmse"), std::sqrt(116.0 / 3));
  EXPECT_DOUBLE_EQ(*find_score(scores, "smape"), (200.0 * 4 / 24 + 0 + 200.0 * 10 / 10) / 3);
  EXPECT_DOUBLE_EQ(*find_score(scores, "mase"), 14.0 / 3 / 4);
}

/// A season of 12 on a slope, with noise, from row `begin` on.
std::string wave(int begin, int rows) {
  RandomGenerator random({5, 0, 3});
  std::string csv = "t,level\n";
  for (int t = 0; t < rows; ++t) {
    const double value = 100 + 0.5 * t + 20 * std::sin(t * 2 * M_PI / 12) + 4 * random.next_normal();
    if (t < begin) continue;
    csv += std::to_string(t) + ',' + std::to_string(value) + '\n';
  }
  return csv;
}

class ForecastRun : public testing::Test {
 protected:
  ForecastRun() : folder_(fresh_folder("forecast")) {
    write_file_atomically(folder_ / "wave.csv", wave(0, 400));
    write_file_atomically(folder_ / "end.csv", wave(400 - 80 - 24, 400));  // the last fifth and the context before it
  }
  void run(std::vector<std::string> words, int (*verb)(const Config&) = run_training) const {
    initialize();
    words.insert(words.begin(), {"output_dir=" + (folder_ / "out").string(), "disable_tqdm=true", "save_strategy=no",
                                 "device=" + test_device().text(), "label_column_name=level",
                                 "per_device_train_batch_size=16", "lr_scheduler_type=constant", "max_grad_norm=0"});
    Config config(train_options());
    config.read_arguments(words);
    testing::internal::CaptureStdout();
    try {
      verb(config);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    testing::internal::GetCapturedStdout();
  }
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"task=forecasting", "train_file=" + (folder_ / "wave.csv").string(), "test_split=0.2",
                               "do_predict=true", "context_length=24", "prediction_length=6", "seasonality=12"});
    return more;
  }
  Json results(const char* name) const { return read_json(folder_ / "out" / name); }

  const std::filesystem::path folder_;
};

TEST_F(ForecastRun, LinearAndRecurrentForecastsBeatTheNaiveOneAndTheSavedModelScoresTheSame) {
  for (const char* kind : {"linear", "lstm", "gru"}) {
    run(training({std::string("forecaster=") + kind, "hidden_sizes=16", "num_train_epochs=12", "learning_rate=0.01"}));
    const Json scores = results("predict_results.json");
    EXPECT_LT(scores["predict_mae"], scores["predict_naive_mae"]) << kind;
    EXPECT_LT(scores["predict_mase"], scores["predict_naive_mase"]) << kind;
    // The noise alone has the mean size 4 sqrt(2 / pi) = 3.2; the naive forecast adds that of its own and the slope.
    EXPECT_LT(scores["predict_mae"].get<double>(), 6) << kind;

    run({"model_name_or_path=" + (folder_ / "out").string(), "validation_file=" + (folder_ / "end.csv").string()},
        run_evaluation);
    const Json again = results("eval_results.json");
    for (const char* name : {"mae", "rmse", "smape", "naive_mae"}) {
      // Without gradients a product may be summed in another order: rounding of f32, 2^-24 a term, over 24 terms.
      const double before = scores[std::string("predict_") + name];
      EXPECT_NEAR(again[std::string("eval_") + name], before, 24 * 6e-8 * before) << kind << ' ' << name;
    }
  }
}

TEST_F(ForecastRun, WhatCannotBeForecastIsOneMessage) {
  const auto refusal = [&](std::vector<std::string> more) { return error_of([&] { run(training(more)); }); };
  EXPECT_NE(refusal({"seasonality=30"}).find("context_length"), std::string::npos);
  EXPECT_NE(refusal({"context_length=390"}).find("context_length + prediction_length = 396"), std::string::npos);
  EXPECT_NE(refusal({"forecaster=lstm", "hidden_sizes=8,9"}).find("one width"), std::string::npos);
}

}  // namespace
}  // namespace suanli
