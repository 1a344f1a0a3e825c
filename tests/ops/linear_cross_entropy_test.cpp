// What the loss of a vocabulary head is for: not all of its logits are held at once.
#include "ops/linear_cross_entropy.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "cases.h"
#include "device.h"
#include "ops/initialize.h"

namespace suanli::testing {
namespace {

/// Bytes beyond what was held before of a step over 4096 rows and 1000 classes.
int64_t peak_of_step(int64_t most_logits) {
  initialize();
  constexpr int64_t kRows = 4096, kWidth = 8, kClasses = 1000;
  const std::vector<double> numbers(static_cast<size_t>(kRows * kWidth), 0.5);
  Tensor x = tensor_of(numbers, {kRows, kWidth}, DType::f32);
  const std::vector<double> weights(static_cast<size_t>(kClasses * kWidth), 0.25);
  Tensor weight = tensor_of(weights, {kClasses, kWidth}, DType::f32);
  require_gradient(x);
  require_gradient(weight);
  const Tensor labels = integers_of(std::vector<int32_t>(kRows, 7));
  DeviceBackend& memory = backend(test_device());
  memory.reset_peak();
  const int64_t before = memory.statistics().live_bytes;
  backward(ops::linear_cross_entropy(x, weight, {}, labels, {}, most_logits));
  return memory.statistics().peak_bytes - before;
}

TEST(LinearCrossEntropy, HoldsAChunkOfTheLogits) {
  // A tenth of the logits is held, beside what is held either way.
  constexpr int64_t kAll = int64_t{4096} * 1000 * 4;
  EXPECT_GE(peak_of_step(ops::kMostLogits) - peak_of_step(int64_t{4096} * 100), kAll * 8 / 10);
}

}  // namespace
}  // namespace suanli::testing
