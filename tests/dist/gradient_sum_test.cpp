// Which gradients are summed together, in which order, and what those without a gradient get.
#include "dist/gradient_sum.h"

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "dist/free_port.h"
#include "ops/initialize.h"
#include "ops/linear.h"

namespace suanli::dist {
namespace {

nn::Parameter parameter(int64_t elements) {
  Tensor value = Tensor::zeros({elements}, DType::f32);
  require_gradient(value);
  return {"p", value};
}

TEST(Buckets, AreFilledFromTheLastParameterAndBeginSmall) {
  const int64_t quarter = kFirstBucketBytes / 4 / 4, ten = (int64_t{10} << 20) / 4;
  std::vector<nn::Parameter> parameters;
  for (int i = 0; i < 4; ++i) parameters.push_back(parameter(ten));
  for (int i = 0; i < 6; ++i) parameters.push_back(parameter(quarter));
  const auto buckets = buckets_of(parameters);
  ASSERT_EQ(buckets.size(), 3U);
  EXPECT_EQ(buckets[0], (std::vector<size_t>{9, 8, 7, 6})) << "1 MB";
  EXPECT_EQ(buckets[1], (std::vector<size_t>{5, 4, 3, 2, 1})) << "0.5 + 3 * 10 MB is the first that holds 25 MB";
  EXPECT_EQ(buckets[2], (std::vector<size_t>{0}));
}

/// On the CPU and with itself: what is summed is noted, and doubled.
class Doubling final : public Communicator {
 public:
  explicit Doubling(HostGroup& group) : Communicator(group) {}
  void sum(std::span<const Tensor> tensors) override {
    if (on_sum) on_sum();
    for (const Tensor& tensor : tensors) {
      for (float& value : Tensor(tensor).host<float>()) value *= 2;
      ++summed;
    }
  }
  void broadcast(std::span<const Tensor>) override {}
  void join() override { joined = summed; }
  void wait() override {}
  int summed = 0, joined = 0;
  std::function<void()> on_sum;
};

float first_gradient(const nn::Parameter& of) { return gradient_of(of.value).host<float>()[0]; }

// Rank 0 has gradients of the parameters 0 and 1, rank 1 of 1 and 2, nobody of 3; 0 and 1 share one tensor.
TEST(GradientSum, WhoHasNoneTakesPartWithZerosWhereAnotherHasOne) {
  initialize();
  const int port = free_port();
  std::vector<nn::Parameter> parameters[2];
  std::vector<int> summed(2), joined(2);
  std::thread threads[2];
  for (int rank = 0; rank < 2; ++rank) {
    for (int i = 0; i < 4; ++i) parameters[rank].push_back(parameter(3));
    const Tensor ones = Tensor::from(std::vector<float>{1, 1, 1}, {3});
    gradient_of(parameters[rank][1].value) = ones;
    gradient_of(parameters[rank][rank == 0 ? 0 : 2].value) = ones;
  }
  for (int rank = 0; rank < 2; ++rank) {
    threads[rank] = std::thread([&, rank] {
      HostGroup group({.rank = rank, .size = 2, .port = port}, {});
      Doubling ranks(group);
      GradientSum(ranks, parameters[rank]).finish(Tensor::zeros({1}, DType::f32));
      summed[static_cast<size_t>(rank)] = ranks.summed;
      joined[static_cast<size_t>(rank)] = ranks.joined;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(summed[static_cast<size_t>(rank)], 4) << "three gradients and the losses";
    EXPECT_EQ(joined[static_cast<size_t>(rank)], 4);
    EXPECT_FALSE(gradient_of(parameters[rank][3].value).defined());
    EXPECT_EQ(first_gradient(parameters[rank][1]), 2) << "a shared tensor is summed once for each";
  }
  EXPECT_EQ(first_gradient(parameters[0][0]), 2);
  EXPECT_EQ(first_gradient(parameters[0][2]), 0);
  EXPECT_EQ(first_gradient(parameters[1][2]), 2);
  EXPECT_EQ(first_gradient(parameters[1][0]), 0);
}

// Two layers of 1 MB each: the last one's sum is queued before the first one has a gradient.
TEST(GradientSum, ABucketIsSummedWhileBackwardGoesOn) {
  initialize();
  constexpr int64_t kWidth = 512;
  const int port = free_port();
  std::thread threads[2];
  int early[2] = {}, summed[2] = {};
  for (int rank = 0; rank < 2; ++rank) {
    threads[rank] = std::thread([&, rank] {
      HostGroup group({.rank = rank, .size = 2, .port = port}, {});
      std::vector<nn::Parameter> parameters;
      for (int i = 0; i < 2; ++i) {
        Tensor weight = Tensor::zeros({kWidth, kWidth}, DType::f32);
        require_gradient(weight);
        parameters.push_back({"weight", weight});
      }
      const Tensor x = Tensor::from(std::vector<float>(kWidth, 1), {1, kWidth});
      Doubling ranks(group);
      ranks.on_sum = [&] { early[rank] += gradient_of(parameters[0].value).defined() ? 0 : 1; };
      GradientSum sums(ranks, parameters);
      sums.during([&] {
        const Tensor y = ops::linear(ops::linear(x, parameters[0].value, {}), parameters[1].value, {});
        backward(y, Tensor::from(std::vector<float>(kWidth, 1), {1, kWidth}));
      });
      sums.finish(Tensor::zeros({1}, DType::f32));
      summed[rank] = ranks.summed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(early[rank], 1);
    EXPECT_EQ(summed[rank], 3) << "each gradient once, and the losses";
  }
}

}  // namespace
}  // namespace suanli::dist
