/// Two devices side by side: the same computation on the CPU and on the CUDA device, which the test demands.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "autograd/tape.h"
#include "base/random.h"
#include "ops/cast.h"
#include "ops/initialize.h"
#include "tensor/tensor.h"

namespace suanli {

inline constexpr Device kCpu = {}, kCuda = {DeviceType::cuda, 0};

/// A test that fails where there is no CUDA device: LD_LIBRARY_PATH names the folder of the stand-ins.
class BesideTheCpu : public testing::Test {
 protected:
  void SetUp() override {
    initialize();
    ASSERT_GT(device_count(DeviceType::cuda), 0) << device_problem(DeviceType::cuda);
  }
};

/// Normal numbers times `size`, in `dtype`, on the CPU.
inline Tensor random_tensor(Shape shape, DType dtype, uint32_t site, double size = 1) {
  RandomGenerator random({.seed = 11, .step = 0, .site = site});
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (float& value : values) value = static_cast<float>(size * random.next_normal());
  const NoGradient off;
  return ops::cast(Tensor::from(values, shape), dtype);
}

/// The elements as f32 on the CPU.
inline std::vector<float> values_of(const Tensor& tensor) {
  const NoGradient off;
  const Tensor host = ops::cast(detach(tensor).to(kCpu), DType::f32);
  const auto values = host.host<float>();
  return {values.begin(), values.end()};
}

/// |a - b| / |b| in the Euclidean norm.
inline double distance(const Tensor& a, const Tensor& b) {
  const std::vector<float> x = values_of(a), y = values_of(b);
  double difference = 0, size = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    difference += std::pow(static_cast<double>(x.at(i)) - y[i], 2);
    size += std::pow(static_cast<double>(y[i]), 2);
  }
  return std::sqrt(difference / size);
}

}  // namespace suanli
