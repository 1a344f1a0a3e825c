// Two towers: loss and gradients are PyTorch's, tastes that were planted are found, cold items find their users by
// their text, and a resumed run ends at the same bits.
#include "train/recommendation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/file.h"
#include "expect_error.h"
#include "formats/safetensors.h"
#include "ops/cast.h"
#include "quiet_run.h"
#include "tiny_run.h"
#include "train/evaluate.h"

namespace suanli {
namespace {

float distance(const Tensor& a, const Tensor& b) {
  const Tensor x = detach(a).to({}), y = detach(b).to({});
  float largest = 0;
  for (size_t i = 0; i < x.host<float>().size(); ++i) {
    largest = std::max(largest, std::abs(x.host<float>()[i] - y.host<float>()[i]));
  }
  return x.elements() == y.elements() ? largest : INFINITY;
}

/// The likes of tests/golden/models/make_two_tower.py, all of them in training.
LeftOut golden_likes() { return {{{0, 1, 2, 3}, {2, 0, 4}, {5, 1}}, {}, {}, {}, std::vector<uint8_t>(8, 0)}; }

TEST(TwoTowers, LossWithItsCorrectionAndEveryGradientEqualThoseOfPyTorch) {
  initialize();
  const auto folder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/two_tower";
  const models::Model model = models::load_model(folder, {.trainable = true, .device = test_device()});
  const SafetensorsFile file = SafetensorsFile::open(folder / "golden.safetensors");
  const Recommendation task(model, golden_likes(), 1);
  Dataset rows = training_rows(task.data(), 50, -1);
  ASSERT_EQ(rows.rows.size(), 3U);
  rows.rows[0].types = {0, 1, 0};  // the second input and
  rows.rows[1].types = {2, 0};     // the fourth label are seen by their text alone
  const Batch batch = pack(rows.rows);
  const LossInputs inputs = task.inputs(batch);
  const Tensor loss = task.loss(inputs, {}, static_cast<double>(task.items(batch)));
  // f32 sums of at most 8 terms of size 1, divided by a temperature of 0.2, through 3 steps: 5 * 3 * 8 * 2^-24 = 7e-6.
  EXPECT_LT(distance(loss, file.tensor("loss")), 1e-5F);
  backward(loss);
  ASSERT_EQ(model.parameters->all().size(), 9U);
  for (const nn::Parameter& parameter : model.parameters->all()) {
    EXPECT_LT(distance(gradient_of(parameter.value), file.tensor("grad/" + parameter.name)), 1e-5F) << parameter.name;
  }
}

TEST(RecommendationScores, AreThoseOfTheQuestionsThatTheRowsStandFor) {
  initialize();
  const auto folder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/two_tower";
  const models::Model model = models::load_model(folder, {.device = test_device()});
  LeftOut data = {{{0, 1}, {0, 2}, {0, 3}}, {}, {}, {}, std::vector<uint8_t>(8, 0)};
  data.validation.push_back({.user = 0, .item = 1, .history = {0}, .seen = {0}});
  data.test.push_back({.user = 0, .item = 7, .history = {0, 1}, .seen = {0, 1}});
  const Recommendation task(model, data, 1);
  const auto reciprocal = [&](const Dataset& rows) {
    return *find_score(evaluate(task, rows, DType::f32, {.keep_predictions = true}).scores, "popularity_mrr");
  };
  // Item 1 beside 2 and 3, equally popular: rank 1 + 1. Item 7 behind 2 and 3, beside 4, 5 and 6: rank 1 + 2 + 2.
  EXPECT_DOUBLE_EQ(reciprocal(question_rows(data.validation, 50, -1, false, 0)), 1.0 / 2);
  EXPECT_DOUBLE_EQ(reciprocal(question_rows(data.test, 50, -1, false, 1)), 1.0 / 5);
}

TEST(LeaveLastOut, TheLastTwoLikesAreAskedForAndNothingLaterIsSeen) {
  Interactions read;
  read.users = {"u", "v"};
  read.of_user = {{{0, true}, {1, false}, {2, true}, {3, true}, {4, true}, {5, false}}, {{0, true}, {2, true}}};
  const LeftOut data = leave_last_out(read, 6, 0, 1);
  EXPECT_EQ(data.train, (std::vector<std::vector<int32_t>>{{0, 2}, {0, 2}})) << "v has too few to leave any out";
  ASSERT_EQ(data.validation.size(), 1U);
  ASSERT_EQ(data.test.size(), 1U);
  EXPECT_EQ(data.validation[0].item, 3);
  EXPECT_EQ(data.validation[0].history, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(data.validation[0].seen, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(data.test[0].item, 4);
  EXPECT_EQ(data.test[0].history, (std::vector<int32_t>{0, 2, 3}));
  EXPECT_EQ(data.test[0].seen, (std::vector<int32_t>{0, 1, 2, 3})) << "what was disliked counts as seen";
  EXPECT_TRUE(data.cold.empty());
  read.of_user.pop_back();
  read.users.pop_back();
  read.of_user[0].resize(3);
  EXPECT_NE(error_of([&] { leave_last_out(read, 6, 0, 1); }).find("three likes"), std::string::npos);
}

TEST(LeaveLastOut, HeldOutItemsAreAskedForAndNowhereElse) {
  Interactions read;
  for (int user = 0; user < 30; ++user) {
    read.users.push_back(std::to_string(user));
    auto& events = read.of_user.emplace_back();
    for (int32_t i = 0; i < 20; ++i) events.push_back({(user * 7 + i) % 50, true});
  }
  const LeftOut data = leave_last_out(read, 50, 0.2, 3);
  const auto held = [&](int32_t item) { return data.held_out[static_cast<size_t>(item)] != 0; };
  EXPECT_GT(data.cold.size(), 30U);
  for (const auto& likes : data.train) EXPECT_TRUE(std::ranges::none_of(likes, held));
  for (const auto* part : {&data.validation, &data.test}) {
    for (const NextLike& each : *part) {
      EXPECT_FALSE(held(each.item));
      EXPECT_TRUE(std::ranges::none_of(each.history, held));
    }
  }
  for (const NextLike& each : data.cold) {
    EXPECT_TRUE(held(each.item));
    EXPECT_TRUE(std::ranges::none_of(each.history, held));
    EXPECT_FALSE(each.history.empty());
  }
}

TEST(TrainingRows, ArePiecesThatOverlapByOneAndLoseNoPair) {
  LeftOut data = {{{1, 2, 3, 4, 5, 6}, {7}, {8, 9}}, {}, {}, {}, std::vector<uint8_t>(10, 0)};
  const Dataset rows = training_rows(data, 2, -1);
  std::vector<std::pair<int32_t, int32_t>> pairs;
  for (const EncodedExample& row : rows.rows) {
    EXPECT_LE(row.ids.size(), 2U);
    for (size_t t = 0; t < row.ids.size(); ++t) pairs.emplace_back(row.ids[t], row.labels[t]);
  }
  EXPECT_EQ(pairs, (std::vector<std::pair<int32_t, int32_t>>{{1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {8, 9}}));
  EXPECT_EQ(training_rows(data, 2, 1).rows.size(), 1U);
}

/// 60 items of three tastes, told by the words of their titles; 120 users, each of one taste, like 12 items of it and
/// one of another. An encoder with random weights reads the words.
class TasteRun : public testing::Test {
 protected:
  static constexpr int kItems = 60, kTastes = 3;
  TasteRun() : folder_(fresh_folder("taste")) {
    initialize();
    models::save_model(models::new_model(tiny_config(), {.seed = 5}), folder_ / "encoder");
    tiny_tokenizer().save(folder_ / "encoder");
    RandomGenerator random({3, 0, 1});
    const char* words[kTastes][4] = {{"a", "b", "c", "a b"}, {"e", "f", "g", "f e"}, {"i", "j", "k", "k i"}};
    std::string items = "id,title\n", ratings = "user,item,rating,timestamp\n";
    for (int i = 0; i < kItems; ++i) {
      const auto& of = words[i % kTastes];
      items += concat('m', i, ',');
      for (int word = 0; word < 3; ++word) items += concat(of[random.below(4)], word < 2 ? ' ' : '\n');
    }
    for (int user = 0; user < 120; ++user) {
      std::vector<int> mine;
      while (mine.size() < 12) {
        const int item = static_cast<int>(random.below(kItems / kTastes)) * kTastes + user % kTastes;
        if (std::ranges::count(mine, item) == 0) mine.push_back(item);
      }
      for (size_t k = 0; k < mine.size(); ++k) ratings += line(user, mine[k], 5, 10 * static_cast<int>(k));
      ratings += line(user, (mine[0] + 1) % kItems, 5, 15);
      ratings += line(user, (mine[0] + 2) % kItems, 1, 16);
    }
    write_file_atomically(folder_ / "items.csv", items);
    write_file_atomically(folder_ / "ratings.csv", ratings);
  }
  static std::string line(int user, int item, int rating, int time) {
    return concat('u', user, ",m", item, ',', rating, ',', time, '\n');
  }
  std::vector<std::string> training(const std::string& out, std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"task=recommendation", "train_file=" + (folder_ / "ratings.csv").string(),
                 "items_file=" + (folder_ / "items.csv").string(), "output_dir=" + (folder_ / out).string(),
                 "backbone_name_or_path=" + (folder_ / "encoder").string(), "hidden_sizes=16", "do_predict=true",
                 "per_device_train_batch_size=16", "learning_rate=0.01", "lr_scheduler_type=constant",
                 "save_strategy=no", "hidden_dropout_prob=0.1", "history_length=6"});
    return more;
  }
  Json results(const std::string& name) const { return read_json(folder_ / name); }

  const std::filesystem::path folder_;
};

TEST_F(TasteRun, FindsTheTasteOfAUserAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training("out", {"num_train_epochs=12"})), 0);
  const Json scores = results("out/predict_results.json");
  // Within a taste 8 or 9 of 20 items are left: a user's taste alone finds more than every like among the first ten.
  EXPECT_GT(scores["predict_recall@10"].get<double>(), 0.9);
  // Popularity sees 47 items of three tastes: its ten hold a given one by 10 / 47 = 0.21, give or take 0.04.
  EXPECT_LT(scores["predict_popularity_recall@10"].get<double>(), 0.4);
  EXPECT_GT(scores["predict_item_knn_recall@10"].get<double>(), 0.8) << "neighbours know tastes, too";
  EXPECT_EQ(scores["predict_samples"], 120);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/encoder/model.safetensors"));
  EXPECT_EQ(read_items(folder_ / "out/items.csv").size(), kItems);

  ASSERT_EQ(
      quiet_run({"task=recommendation", "model_name_or_path=" + (folder_ / "out").string(),
                 "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / "ratings.csv").string()},
                run_evaluation),
      0);
  const Json again = results("again/eval_results.json");
  for (const char* name : {"loss", "ndcg@10", "recall@10", "mrr", "coverage@10", "item_knn_ndcg@10"}) {
    EXPECT_NEAR(again[std::string("eval_") + name].get<double>(), scores[std::string("predict_") + name].get<double>(),
                1e-5)
        << name;
  }
}

TEST_F(TasteRun, ItemsHeldOutOfTrainingAreFoundByTheirText) {
  ASSERT_EQ(quiet_run(training("out", {"num_train_epochs=12", "cold_item_share=0.4", "item_dropout=0.5"})), 0);
  const Json scores = results("out/predict_results.json");
  EXPECT_GT(scores["predict_cold_questions"].get<double>(), 200);
  // About 24 items are held out, 8 of them of the user's taste: those come first.
  EXPECT_GT(scores["predict_cold_recall@10"].get<double>(), 0.85);
  EXPECT_LT(scores["predict_cold_chance_recall@10"].get<double>(), 0.65);
  EXPECT_EQ(scores["predict_cold_recall@50"], 1) << "there are fewer than 50";
}

TEST_F(TasteRun, AResumedRunWithOtherWorkersEndsAtTheSameBits) {
  const std::vector<std::string> often = {"max_steps=13", "save_strategy=steps", "save_steps=13"};
  ASSERT_EQ(quiet_run(training("cut", often)), 0);
  ASSERT_EQ(quiet_run(training("whole", {"max_steps=24", "dataloader_num_workers=0"})), 0);
  ASSERT_EQ(quiet_run(training("cut", {"max_steps=24", "dataloader_num_workers=3",
                                       "resume_from_checkpoint=" + (folder_ / "cut/checkpoint-13").string()})),
            0);
  EXPECT_EQ(read_file(folder_ / "whole/model.safetensors"), read_file(folder_ / "cut/model.safetensors"));
}

TEST_F(TasteRun, TheBestEpochByNdcgIsKeptAndTrainingStopsEarly) {
  ASSERT_EQ(quiet_run(training(
                "out", {"num_train_epochs=40", "eval_strategy=epoch", "save_strategy=epoch", "save_total_limit=1",
                        "metric_for_best_model=ndcg@10", "load_best_model_at_end=true", "early_stopping_patience=2"})),
            0);
  const Json state = results("out/trainer_state.json");
  EXPECT_LT(state["epoch"].get<double>(), 40);
  EXPECT_NEAR(results("out/eval_results.json")["eval_ndcg@10"].get<double>(), state["best_metric"].get<double>(), 1e-9);
}

TEST_F(TasteRun, WhatCannotBeLearnedIsOneMessage) {
  const auto refusal = [&](std::vector<std::string> more) {
    return error_of([&] { quiet_run(training("bad", std::move(more))); });
  };
  EXPECT_NE(refusal({"items_file="}).find("items_file"), std::string::npos);
  EXPECT_NE(refusal({"backbone_name_or_path="}).find("backbone_name_or_path"), std::string::npos);
  EXPECT_NE(refusal({"hidden_sizes=8,8"}).find("one width"), std::string::npos);
  EXPECT_NE(refusal({"temperature=0"}).find("temperature"), std::string::npos);
  EXPECT_NE(refusal({"least_rating=6"}).find("three likes"), std::string::npos);
  EXPECT_NE(error_of([&] {
              quiet_run({"task=text-classification", "model_name_or_path=" + (folder_ / "encoder").string(),
                         "train_file=x.csv", "history_length=5"});
            }).find("history_length"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli
