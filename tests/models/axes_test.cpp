// Parameters whose axes stand in another order in files come back the same, and buffers are saved and not trained.
#include "models/axes.h"

#include <gtest/gtest.h>

#include "nn/parameters.h"

namespace suanli::testing {
namespace {

std::vector<float> values_of(const Tensor& tensor) {
  const auto values = tensor.host<float>();
  return {values.begin(), values.end()};
}

Tensor counted(Shape shape) {
  Tensor tensor = Tensor::empty(shape, DType::f32);
  float next = 0;
  for (float& value : tensor.host<float>()) value = next++;
  return tensor;
}

// [O, I, H, W] as PyTorch stores a convolution to [O, H, W, I]: each value stands where its four places say.
TEST(Axes, EachValueStandsWhereItsPlacesSay) {
  const std::vector<int> axes = {0, 2, 3, 1};
  const Tensor stored = counted({2, 3, 4, 5});
  const Tensor ours = models::permuted(stored, axes);
  ASSERT_EQ(ours.shape(), Shape({2, 4, 5, 3}));
  const auto from = stored.host<float>(), to = ours.host<float>();
  for (size_t o = 0; o < 2; ++o) {
    for (size_t i = 0; i < 3; ++i) {
      for (size_t h = 0; h < 4; ++h) {
        for (size_t w = 0; w < 5; ++w) {
          ASSERT_EQ(to[((o * 4 + h) * 5 + w) * 3 + i], from[((o * 3 + i) * 4 + h) * 5 + w]);
        }
      }
    }
  }
}

TEST(Axes, TheInverseUndoes) {
  const Tensor stored = counted({2, 3, 4});
  for (const std::vector<int>& axes : {std::vector{1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {0, 1, 2}}) {
    const Tensor back = models::permuted(models::permuted(stored, axes), models::inverse(axes));
    EXPECT_EQ(back.shape(), stored.shape());
    EXPECT_EQ(values_of(back), values_of(stored));
  }
}

TEST(Buffers, AreNamedOnceBesideTheParametersAndNotAmongThem) {
  nn::Parameters parameters({.trainable = true});
  const nn::ParameterScope scope(parameters);
  scope.get("weight", {3}, nn::ones());
  const Tensor mean = (scope / "norm").buffer("running_mean", {3}, nn::zeros());
  EXPECT_EQ(parameters.all().size(), 1U);
  ASSERT_EQ(parameters.buffers().size(), 1U);
  EXPECT_EQ(parameters.buffers()[0].name, "norm.running_mean");
  EXPECT_EQ(parameters.elements(), 3);
  mean.host<float>()[1] = 2;  // shared with what is saved
  EXPECT_EQ(parameters.buffers()[0].value.host<float>()[1], 2);
  EXPECT_THROW((scope / "norm").buffer("running_mean", {3}, nn::zeros()), UserError);
}

}  // namespace
}  // namespace suanli::testing
