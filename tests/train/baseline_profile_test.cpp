// What a run leaves beside its model for the service that watches: counts of the right rows, and drift where it is.
#include "train/baseline_profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "monitor/drift_watch.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

using monitor::BaselineProfile;
using monitor::CategorySketch;
using monitor::NumberSketch;
using monitor::VectorSketch;

const NumberSketch& numbers_of(const BaselineProfile& profile, std::string_view feature) {
  return std::get<NumberSketch>(profile.features().find(feature)->second);
}

const CategorySketch& categories_of(const BaselineProfile& profile, std::string_view feature) {
  return std::get<CategorySketch>(profile.features().find(feature)->second);
}

using Counts = std::map<std::string, int64_t, std::less<>>;

/// A folder with a bare model and a file of data, and what a run over it writes.
class BaselineRun : public testing::Test {
 protected:
  BaselineRun() : folder_(fresh_folder("baseline")) {
    initialize();
    std::filesystem::create_directories(folder_ / "model");
    models::save_model(models::new_model(tiny_config(), {.head = models::Head::none, .labels = {}}), folder_ / "model");
    tiny_tokenizer().save(folder_ / "model");
  }

  void run(const std::string& file, const std::string& text, std::vector<std::string> words) const {
    write_file_atomically(folder_ / file, text);
    words.insert(words.begin(), {"output_dir=" + (folder_ / "out").string(), "precision=f32", "save_strategy=no",
                                 "train_file=" + (folder_ / file).string(), "num_train_epochs=1"});
    ASSERT_EQ(quiet_run(words), 0);
  }
  std::string model() const { return "model_name_or_path=" + (folder_ / "model").string(); }
  std::filesystem::path file() const { return folder_ / "out" / monitor::kBaselineProfile; }
  BaselineProfile profile() const { return BaselineProfile::load(file()); }

  const std::filesystem::path folder_;
};

/// 60 texts of two words, one of three of them unknown to the tokenizer; each third is "late".
std::string texts() {
  std::string csv = "text,label\n";
  for (int i = 0; i < 60; ++i) csv += std::string(i % 3 == 0 ? "k zzz" : "a b") + (i % 3 == 0 ? ",late\n" : ",early\n");
  return csv;
}

TEST(BaselineProfile, QuestionsHaveTheirTextsAndTheWindowsTheirTokens) {
  const std::vector<QuestionExample> questions = {
      {.id = "1", .question = "wer?", .context = "\u00e9\u00e9", .answers = {}, .place = ""},
      {.id = "2", .question = "wo?", .context = "hier", .answers = {}, .place = ""}};
  BaselineProfile profile = question_profile(questions);
  const NumberSketch& characters = numbers_of(profile, monitor::kTextCharacters);
  EXPECT_EQ(characters.count(), 2);
  EXPECT_EQ(characters.min(), 6) << "code points of both";
  EXPECT_EQ(characters.max(), 7);
  Dataset windows;
  for (const std::vector<int32_t>& ids : {std::vector<int32_t>{5, 1}, {5, 6, 7, 1}, {5, 6, 7, 8}}) {
    windows.rows.emplace_back().ids = ids;
  }
  add_windows(windows, 1, &profile);
  EXPECT_EQ(numbers_of(profile, monitor::kTextTokens).count(), 3);
  EXPECT_EQ(numbers_of(profile, monitor::kUnknownShare).max(), 0.5);
  EXPECT_EQ(numbers_of(profile, monitor::kTextCharacters).count(), 2) << "a window has no characters of its own";
}

TEST_F(BaselineRun, OfTextsHoldsTrainingInputsAndLabelsAndTheAnswersOfTheValidation) {
  run("data.csv", texts(), {"task=text-classification", model(), "validation_split=0.2"});
  const BaselineProfile found = profile();
  const NumberSketch& tokens = numbers_of(found, monitor::kTextTokens);
  EXPECT_EQ(tokens.count(), 48);
  EXPECT_EQ(tokens.min(), 4);  // [CLS] a b [SEP]
  EXPECT_EQ(tokens.max(), 4);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).min(), 3);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).max(), 5);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).count(), 48);
  EXPECT_EQ(categories_of(found, monitor::kLabel).counts(), (Counts{{"early", 32}, {"late", 16}}));
  EXPECT_DOUBLE_EQ(numbers_of(found, monitor::kUnknownShare).max(), 0.25);
  EXPECT_NEAR(numbers_of(found, monitor::kUnknownShare).mean(), 0.25 / 3, 1e-12);
  EXPECT_EQ(categories_of(found, monitor::kPrediction).count(), 12);
  EXPECT_EQ(numbers_of(found, monitor::kScore).count(), 12);
  EXPECT_GE(numbers_of(found, monitor::kScore).min(), 0.5);  // of two classes the chosen one
  EXPECT_LE(numbers_of(found, monitor::kScore).max(), 1);
}

TEST_F(BaselineRun, CountsTheRowsThatAreTrainedOnAndNoOthers) {
  run("data.csv", texts(), {"task=text-classification", model(), "max_train_samples=10"});
  const BaselineProfile found = profile();
  EXPECT_EQ(numbers_of(found, monitor::kTextTokens).count(), 10);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).count(), 10);
  EXPECT_EQ(categories_of(found, monitor::kLabel).count(), 10);
  EXPECT_FALSE(found.features().contains(monitor::kPrediction)) << "nothing was evaluated";
}

TEST_F(BaselineRun, OfTagsCountsEachWord) {
  std::string conll;
  for (int i = 0; i < 30; ++i) conll += "a B-X\nb O\nc O\n\n";
  run("data.conll", conll, {"task=token-classification", model(), "validation_split=0.2"});
  const BaselineProfile found = profile();
  EXPECT_EQ(categories_of(found, monitor::kLabel).counts(), (Counts{{"B-X", 24}, {"O", 48}}));
  EXPECT_EQ(categories_of(found, monitor::kPrediction).count(), 18);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).max(), 5);
  EXPECT_EQ(numbers_of(found, monitor::kTextTokens).max(), 5);
}

TEST_F(BaselineRun, OfEmbeddedPairsEachTextCountsForItself) {
  std::string csv = "sentence1,sentence2,score\n";
  for (int i = 0; i < 30; ++i) csv += "a b c,d,0.5\n";
  run("data.csv", csv,
      {"task=sentence-similarity", model(), "text_column_names=sentence1", "text_pair_column_name=sentence2",
       "label_column_name=score"});
  const BaselineProfile found = profile();
  EXPECT_EQ(numbers_of(found, monitor::kTextTokens).count(), 60);
  EXPECT_EQ(numbers_of(found, monitor::kTextTokens).min(), 3);
  EXPECT_EQ(numbers_of(found, monitor::kTextTokens).max(), 5);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).min(), 1);
  EXPECT_EQ(numbers_of(found, monitor::kTextCharacters).max(), 5);
  EXPECT_EQ(numbers_of(found, monitor::kLabel).mean(), 0.5);
  const auto& vectors = std::get<VectorSketch>(found.features().find(monitor::kEmbedding)->second);
  EXPECT_EQ(vectors.count(), 60);
  EXPECT_EQ(static_cast<int64_t>(vectors.width()), tiny_config()["hidden_size"].get<int64_t>());
  std::vector<std::vector<float>> different;  // batches of another size round otherwise
  for (const std::vector<float>& vector : vectors.vectors()) {
    double squares = 0;
    for (const float value : vector) squares += double{value} * value;
    EXPECT_NEAR(squares, 1, 1e-5);
    const auto is_near = [&](const std::vector<float>& other) {
      return std::ranges::equal(vector, other, [](float a, float b) { return std::abs(a - b) < 1e-5F; });
    };
    if (std::ranges::none_of(different, is_near)) different.push_back(vector);
  }
  EXPECT_EQ(different.size(), 2U) << "thirty times two texts";
}

TEST_F(BaselineRun, LanguageModelsHaveNone) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "a b c d\n";
  run("data.txt", text, {"task=masked-lm", model()});
  EXPECT_FALSE(std::filesystem::exists(file()));
}

std::string table(int rows, double shift) {
  RandomGenerator random({3, 0, 1});
  std::string csv = "age,colour,day,label\n";
  for (int i = 0; i < rows; ++i) {
    const double age = 40 + 10 * random.next_normal();
    csv += (i % 10 == 0 ? "NA" : std::to_string(age + shift)) + ",c" + std::to_string(random.below(3)) + ",2024-01-0" +
           std::to_string(1 + i % 9) + "," + (age > 40 ? "old" : "young") + "\n";
  }
  return csv;
}

TEST_F(BaselineRun, OfTablesHoldsColumnsAndAWatchSeesThemChange) {
  run("data.csv", table(500, 0), {"task=tabular-classification", "validation_split=0.2", "hidden_sizes=8"});
  const BaselineProfile found = profile();
  EXPECT_EQ(found.features().size(), 5U) << "two columns without the date, label, prediction, score";
  const NumberSketch& age = numbers_of(found, "column.age");
  EXPECT_EQ(age.count() + age.missing(), 400);
  EXPECT_NEAR(static_cast<double>(age.missing()), 40, 20);
  EXPECT_NEAR(age.mean(), 40, 3);
  EXPECT_EQ(categories_of(found, "column.colour").counts().size(), 3U);
  EXPECT_EQ(categories_of(found, monitor::kLabel).count(), 400);
  EXPECT_EQ(categories_of(found, monitor::kPrediction).count(), 100);

  monitor::DriftWatch same(found), older(found);
  for (int i = 0; i < 400; ++i) {
    const double value = age.quantiles().sample().values[static_cast<size_t>(i) % 360];
    const monitor::Observed as_before = {"column.age", value}, shifted = {"column.age", value + 10};
    same.observe(std::span(&as_before, 1));
    older.observe(std::span(&shifted, 1));
  }
  const auto alarm = [](const monitor::DriftWatch& watch) {
    bool drifted = false;
    for (const monitor::DriftScore& score : watch.scores()) drifted |= score.drifted && score.test != "missing";
    return drifted;
  };
  EXPECT_FALSE(alarm(same));
  EXPECT_TRUE(alarm(older));
}

TEST(PictureProfile, HoldsSizesBrightnessAndContrastOfASampleAndAllClasses) {
  std::vector<ImageExample> pictures;
  for (int i = 0; i < 600; ++i) {
    Image image(2, 4, 1, uint8_t{51});  // 0.2
    if (i % 2 == 1) std::fill_n(image.values.begin(), 4, uint8_t{153});
    pictures.push_back({.file = {}, .label = i % 3, .image = image});
  }
  const BaselineProfile profile = picture_profile(pictures, {"cat", "dog", "owl"});
  EXPECT_EQ(categories_of(profile, monitor::kLabel).counts(), (Counts{{"cat", 200}, {"dog", 200}, {"owl", 200}}));
  EXPECT_EQ(numbers_of(profile, monitor::kPictureHeight).mean(), 2);
  EXPECT_EQ(numbers_of(profile, monitor::kPictureWidth).mean(), 4);
  const NumberSketch& brightness = numbers_of(profile, monitor::kPictureBrightness);
  EXPECT_EQ(brightness.count(), 256);
  EXPECT_NEAR(brightness.mean(), 0.3, 0.01) << "half of them 0.2, half 0.4";
  EXPECT_NEAR(numbers_of(profile, monitor::kPictureContrast).max(), 0.2, 1e-9);
  EXPECT_EQ(picture_profile(pictures).features().count(std::string(monitor::kLabel)), 0u);
}

TEST(RowSample, IsBoundedAndUniform) {
  RowSample sample;
  Row row;
  for (int i = 0; i < 40'000; ++i) {
    row.number = i;
    sample.add(row);
  }
  ASSERT_EQ(sample.rows().size(), 2'000U);
  double mean = 0;
  for (const Row& one : sample.rows()) mean += static_cast<double>(one.number) / 2'000;
  // The deviation of the mean of 2,000 of 40,000 uniform numbers: 40,000 / sqrt(12 2,000) sqrt(38/40) = 252.
  EXPECT_NEAR(mean, 20'000, 1'000);
}

}  // namespace
}  // namespace suanli
