// The running averages that training leaves behind.
#include <gtest/gtest.h>

#include "cases.h"
#include "golden_tensors.h"
#include "ops/batch_norm.h"
#include "ops/initialize.h"
#include "tolerance.h"

namespace suanli::testing {
namespace {

// Three steps of training in f64: each statistic is a short sum of numbers near 1, so that both sides differ by
// roundings alone.
TEST(BatchNorm, RunningAveragesArePyTorchs) {
  initialize();
  const GoldenTensors golden(std::string(SUANLI_TESTS_DIR) + "/golden/ops/ops.safetensors");
  const ops::RunningStatistics running = {tensor_of({0, 0, 0}, {3}, DType::f64), tensor_of({1, 1, 1}, {3}, DType::f64)};
  const Tensor weight = tensor_of({1, 1, 1}, {3}, DType::f64), bias = tensor_of({0, 0, 0}, {3}, DType::f64);
  for (int step = 0; step < 3; ++step) {
    const std::string name = "running/x" + std::to_string(step);
    const Tensor x = tensor_of(golden.doubles(name), Shape(golden.shape(name)), DType::f64);
    ops::batch_norm(x, running, weight, bias, {.training = true, .momentum = 0.3});
  }
  const auto expect_equal = [&](const Tensor& got, const char* name) {
    const std::vector<double> values = values_of(got), exact = golden.doubles(name);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(values[c], exact[c], sum_error(DType::f64, 8, 10)) << name << " " << c;
  };
  expect_equal(running.mean, "running/mean");
  expect_equal(running.var, "running/var");
}

}  // namespace
}  // namespace suanli::testing
