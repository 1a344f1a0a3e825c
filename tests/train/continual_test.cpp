// Learning more: what is replayed, what a penalty holds, what a grown classifier still knows.
#include "train/continual.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "tiny_run.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

Dataset rows_named(int32_t first, int count) {
  Dataset data;
  for (int i = 0; i < count; ++i) {
    EncodedExample row;
    row.ids = {first + i};
    row.row = i;
    data.rows.push_back(row);
  }
  return data;
}

TEST(Replay, OldRowsAreTheirShareOfAll) {
  for (const double ratio : {0.0, 0.2, 0.5, 0.75}) {
    Dataset fresh = rows_named(5000, 80);
    mix_in(fresh, rows_named(0, 1000), ratio, 1);
    const auto old = std::ranges::count_if(fresh.rows, [](const EncodedExample& row) { return row.ids[0] < 5000; });
    EXPECT_NEAR(static_cast<double>(old), ratio * static_cast<double>(fresh.rows.size()), 0.5) << ratio;
    for (size_t i = 0; i < fresh.rows.size(); ++i) EXPECT_EQ(fresh.rows[i].row, static_cast<int64_t>(i));
  }
}

TEST(Replay, NoOldRowComesTwiceBeforeEachCameOnce) {
  Dataset fresh = rows_named(100, 15), again = fresh;
  mix_in(fresh, rows_named(0, 10), 0.5, 1);
  std::multiset<int32_t> drawn;
  for (size_t i = 15; i < fresh.rows.size(); ++i) drawn.insert(fresh.rows[i].ids[0]);
  EXPECT_EQ(drawn.size(), 15U);
  for (int32_t id = 0; id < 10; ++id) EXPECT_GE(drawn.count(id), 1U) << id;
  mix_in(again, rows_named(0, 10), 0.5, 1);
  for (size_t i = 0; i < again.rows.size(); ++i) EXPECT_EQ(again.rows[i].ids, fresh.rows[i].ids) << "the same by seed";
}

/// sum F (w - w*)^2 after 30 steps with a penalty of `lambda`.
double changed(const std::string& name, double lambda) {
  TinyRun run(fresh_folder(name), {"max_steps=30", "eval_strategy=no"});
  const Dataset old = make_dataset(*run.task, {"old", tiny_examples(20, 9)}, -1);
  const ElasticWeightConsolidation held(*run.task, run.model, old, lambda), measure(*run.task, run.model, old, 2);
  EXPECT_EQ(number_of(detach(measure.penalty())), 0) << "nothing has moved yet";
  if (lambda > 0) run.penalty = [&held] { return held.penalty(); };
  run.train();
  return number_of(detach(measure.penalty()));
}

TEST(ElasticWeightConsolidation, HoldsTheWeightsThatTheOldDataNeeds) {
  EXPECT_LT(changed("ewc_held", 100), 0.5 * changed("ewc_free", 0));
}

// By hand: with w moved by d everywhere the penalty is lambda/2 d^2 sum F, and F is the mean of squared gradients.
TEST(ElasticWeightConsolidation, IsTheWeightedSquareOfTheChange) {
  TinyRun run(fresh_folder("ewc_value"), {});
  const Dataset old = make_dataset(*run.task, {"old", tiny_examples(6, 9)}, -1);
  double fisher = 0;
  for (const EncodedExample& row : old.rows) {
    const Batch batch = pack({&row, 1});
    backward(run.task->loss(run.task->inputs(batch), {}, 1));
    for (const nn::Parameter& parameter : run.model.parameters->all()) {
      Tensor& gradient = gradient_of(parameter.value);
      if (gradient.defined()) {
        for (const float g : host_values(gradient)) fisher += static_cast<double>(g) * static_cast<double>(g) / 6;
      }
      gradient = Tensor();
    }
  }
  const ElasticWeightConsolidation held(*run.task, run.model, old, 3);
  EXPECT_EQ(number_of(detach(held.penalty())), 0) << "nothing has moved yet";
  constexpr double kMoved = 0.25;  // a power of two: weights of at most 1 move by it with an error of 2^-25
  for (const nn::Parameter& parameter : run.model.parameters->all()) {
    std::vector<float> values = host_values(detach(parameter.value));
    for (float& value : values) value += static_cast<float>(kMoved);
    Tensor target = detach(parameter.value);
    target.copy_from(Tensor::from(values, target.shape()));
  }
  const double wanted = 3.0 / 2 * kMoved * kMoved * fisher;
  // Roots, anchors and products are rounded to f32 (6e-8 of weights up to 1, moved by 0.25), sums are f64.
  EXPECT_NEAR(number_of(detach(held.penalty())), wanted, 1e-5 * wanted);
}

// More classes: rows of the old labels stay where their labels are now, new ones are those of a new classifier.
TEST(Continue, AGrownClassifierKeepsItsLabels) {
  initialize();
  const auto folder = fresh_folder("grown");
  const models::ModelOptions two = {.head = models::Head::sequence_classification, .labels = {"early", "late"}};
  models::save_model(models::new_model(tiny_config(), two), folder);
  models::ModelOptions three = two;
  three.labels = {"late", "never", "early"};
  three.keep_labels = true;
  const models::Model before = models::load_model(folder, two), after = models::load_model(folder, three);
  EXPECT_TRUE(after.initialized.empty());
  const auto rows = [](const models::Model& model, int64_t row) {
    for (const nn::Parameter& parameter : model.parameters->all()) {
      if (parameter.name == "classifier.weight") return host_values(detach(parameter.value).rows(row, row + 1));
    }
    return std::vector<float>();
  };
  ASSERT_EQ(rows(before, 0).size(), 8U);
  EXPECT_EQ(rows(after, 0), rows(before, 1));
  EXPECT_EQ(rows(after, 2), rows(before, 0));
  EXPECT_EQ(rows(after, 1), rows(models::new_model(tiny_config(), three), 1));
  three.keep_labels = false;
  EXPECT_FALSE(models::load_model(folder, three).initialized.empty()) << "without it the classifier is new";
}

}  // namespace
}  // namespace suanli
