// Copies beside the work: they run ahead of it where nothing forbids it, and never too early or too late.
#include <gtest/gtest.h>

#include "ops/arithmetic.h"
#include "ops/initialize.h"
#include "optim/optimizer.h"
#include "stand_in.h"
#include "train/tiny_run.h"
#include "train/train_step.h"

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

Tensor numbers(float first) { return Tensor::from(std::vector<float>{first, first + 1, first + 2}, {3}); }
float last(const Tensor& host) { return host.host<float>()[2]; }

class Streams : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { initialize(); }
  EarlyStreams streams_{GetParam()};
};

TEST_P(Streams, TheNextBatchIsCopiedWhileThisOneComputes) {
  const OrderOfWork order;
  const uint64_t waits = stand_in_host_waits();
  const Tensor batch = numbers(1).to(kCuda);
  const Fetch result(ops::add(batch, batch));
  const Tensor next = numbers(5).to(kCuda);
  EXPECT_EQ(stand_in_host_waits(), waits) << "queueing waits for nothing";
  EXPECT_EQ(last(result.wait()), 6);
  EXPECT_EQ(order.text(), GetParam() ? "uukd" : "ukd") << "nothing holds the next copy back, and nobody waits for it";
  EXPECT_EQ(stand_in_host_waits(), waits + 1);
  EXPECT_EQ(last(next.to({})), 7);
}

TEST_P(Streams, MemoryThatIsReadIsNotWrittenBefore) {
  const Tensor used = numbers(1).to(kCuda);
  const Fetch before(ops::add(used, used));
  used.copy_from(numbers(10));
  const Fetch after(ops::add(used, used));
  EXPECT_EQ(last(before.wait()), 6);
  EXPECT_EQ(last(after.wait()), 24);
}

TEST_P(Streams, ABlockIsGivenOutAgainWhenItsReaderIsDone) {
  std::vector<Fetch> sums;
  for (int batch = 0; batch < 8; ++batch) {
    const Tensor ids = numbers(static_cast<float>(batch)).to(kCuda);  // released while the sum is queued
    sums.emplace_back(ops::add(ids, ids));
  }
  for (int batch = 0; batch < 8; ++batch) EXPECT_EQ(last(sums[static_cast<size_t>(batch)].wait()), 2 * (batch + 2));
  const auto taken = [] { return backend(kCuda).statistics().live_bytes + backend(kCuda).statistics().cached_bytes; };
  int64_t settled = 0;
  for (int batch = 0; batch < 100; ++batch) {
    if (batch == 10) settled = taken();
    const Tensor ids = numbers(static_cast<float>(batch)).to(kCuda);
    EXPECT_EQ(last(ops::add(ids, ids).to({})), 2 * (batch + 2));
  }
  EXPECT_EQ(taken(), settled) << "released blocks come back";
}

TEST_P(Streams, AResultStaysAsItWasWhenItWasAskedFor) {
  Tensor sum = ops::add(numbers(1).to(kCuda), numbers(1).to(kCuda));
  const Fetch first(sum);
  sum = ops::add(sum, sum);  // the block of the first sum is held by the fetch alone
  for (int k = 0; k < 4; ++k) sum = ops::add(sum, sum);
  EXPECT_EQ(last(first.wait()), 6);
  EXPECT_EQ(last(sum.to({})), 6 * 32);
}

// Longer than the pinned chunks, so that parts are copied while others are read.
TEST_P(Streams, LongTensorsComeBackWhole) {
  std::vector<float> values(1'300'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor back = Tensor::from(values, {1'300'000}).to(kCuda).to({});
  EXPECT_TRUE(std::ranges::equal(back.host<float>(), values));
}

TEST_P(Streams, AConstantTensorIsCopiedOnceForAllItsViews) {
  const Tensor indices = numbers(1);
  indices.make_constant();
  const OrderOfWork order;
  const Tensor whole = indices.on(kCuda), view = indices.rows(1, 3).on(kCuda);
  EXPECT_EQ(view.to({}).host<float>()[1], 3);
  EXPECT_EQ(whole.rows(1, 3).data(), view.data());
  EXPECT_EQ(order.text(), "ud");
}

/// The losses of a few steps, and how often the host waited in the last one.
std::pair<std::vector<double>, uint64_t> train(Device device) {
  const TaskKind kind = task_kind("text-classification", "", Json::object());
  const models::Model model = models::new_model(
      tiny_config(), {.head = kind.head, .labels = {"early", "late"}, .seed = 3, .trainable = true, .device = device});
  const auto task =
      make_task(kind, model, tiny_tokenizer(), LabelTable::from_names({"early", "late"}), {.max_length = 12});
  const auto optimizer = optim::adamw(model.parameters->all(), {});
  std::vector<double> losses;
  uint64_t waits = 0;
  for (uint32_t step = 0; step < 4; ++step) {
    std::vector<EncodedExample> rows;
    for (const Example& example : tiny_examples(4, step)) rows.push_back(task->encode(example, "test"));
    const Batch batch = pack(rows);
    const uint64_t before = stand_in_host_waits();
    losses.push_back(
        train_step(*task, {&batch, 1}, model, *optimizer, {.learning_rate = 1e-2, .first_micro_step = step}).loss);
    waits = stand_in_host_waits() - before;
  }
  return {losses, waits};
}

TEST_P(Streams, AStepWaitsForItsLossAndItsGradientNormAlone) {
  const auto [losses, waits] = train(kCuda);
  EXPECT_LE(waits, 2U);
  EXPECT_GE(waits, 1U) << "the count counts nothing";
  const auto expected = train({}).first;
  // f32 sums of at most 16 terms in another order, over four steps.
  for (size_t k = 0; k < losses.size(); ++k) EXPECT_NEAR(losses[k], expected[k], 1e-5) << k;
}

INSTANTIATE_TEST_SUITE_P(, Streams, testing::Bool(),
                         [](const auto& info) { return info.param ? "AsEarlyAsCanBe" : "AsLateAsCanBe"; });

}  // namespace
}  // namespace suanli
