/// Dropout on the device drops the elements that the CPU drops, to the bit: elsewhere a mask is seen through
/// tolerances.
#include <algorithm>
#include <functional>
#include <utility>

#include "device.h"
#include "ops/attention.h"
#include "ops/dropout.h"
#include "ops/layer_norm.h"

namespace suanli {
namespace {

const ops::DropoutKey kKey = {0.1F, {.seed = 7, .step = 3, .site = 4}};

class Masks : public BesideTheCpu {};

std::vector<bool> zeros_of(const Tensor& tensor) {
  std::vector<bool> out;
  for (const float value : values_of(tensor)) out.push_back(value == 0);
  return out;
}

/// About a tenth is dropped on the CPU, and the same on the device.
void expect_same_mask(const Tensor& cuda, const Tensor& cpu, const std::string& what) {
  const std::vector<bool> expected = zeros_of(cpu);
  const auto dropped = static_cast<double>(std::count(expected.begin(), expected.end(), true));
  EXPECT_NEAR(dropped / static_cast<double>(expected.size()), 0.1, 0.02) << what;
  EXPECT_TRUE(zeros_of(cuda) == expected) << what;
}

Tensor ones(Shape shape, DType dtype, Device device) {
  const NoGradient off;
  return ops::cast(Tensor::from(std::vector<float>(static_cast<size_t>(shape.elements()), 1), shape), dtype).to(device);
}

TEST_F(Masks, OfAnElementWiseDropoutAndItsGradient) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    std::vector<Tensor> y, dx;
    for (const Device device : {kCpu, kCuda}) {
      Tensor x = ones({97, 33}, dtype, device);
      require_gradient(x);
      y.push_back(ops::dropout(x, kKey));
      backward(y.back(), ones({97, 33}, dtype, device));
      dx.push_back(gradient_of(x));
    }
    expect_same_mask(y[1], y[0], "y");
    expect_same_mask(dx[1], dx[0], "dx");
  }
}

/// dx is dropout of the gradient of the sum, which is nowhere zero.
TEST_F(Masks, OfDropoutBeforeALayerNorm) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::vector<Tensor> dx;
    for (const Device device : {kCpu, kCuda}) {
      Tensor x = random_tensor({29, 384}, dtype, 1).to(device);
      require_gradient(x);
      const Tensor y = ops::dropout_add_layer_norm(x, random_tensor({29, 384}, dtype, 2).to(device),
                                                   ones({384}, dtype, device), ones({384}, dtype, device), 1e-12, kKey);
      backward(y, random_tensor({29, 384}, dtype, 3).to(device));
      dx.push_back(gradient_of(x));
    }
    expect_same_mask(dx[1], dx[0], name_of(dtype));
  }
}

/// A sequence as long as a head is wide, queries and keys zero: each probability is 1 / length. Values that are the
/// unit matrix make the result the mask of queries and keys; a cotangent that is it makes the gradient of the values
/// that mask.
TEST_F(Masks, OfAttentionAndItsGradient) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    for (const int64_t length : {32, 64, 128}) {
      constexpr int64_t kHeads = 2;
      const int64_t width = kHeads * length;
      std::vector<float> qkv(static_cast<size_t>(length * 3 * width), 0), unit(static_cast<size_t>(length * width), 0);
      for (int64_t token = 0; token < length; ++token) {
        for (int64_t head = 0; head < kHeads; ++head) {
          qkv[static_cast<size_t>(token * 3 * width + 2 * width + head * length + token)] = 1;
          unit[static_cast<size_t>(token * width + head * length + token)] = 1;
        }
      }
      std::vector<Tensor> y, dv;
      for (const Device device : {kCpu, kCuda}) {
        Tensor input = ops::cast(Tensor::from(qkv, {length, 3 * width}), dtype).to(device);
        require_gradient(input);
        y.push_back(ops::attention(
            input, Tensor::from(std::vector<int32_t>{0, static_cast<int32_t>(length)}, {2}).to(device), kHeads, kKey));
        backward(y.back(), ops::cast(Tensor::from(unit, {length, width}), dtype).to(device));
        const std::vector<float> gradient = values_of(gradient_of(input));
        std::vector<float> of_values;
        for (size_t i = 0; i < gradient.size(); ++i) {
          if (i % static_cast<size_t>(3 * width) >= static_cast<size_t>(2 * width)) of_values.push_back(gradient[i]);
        }
        dv.push_back(Tensor::from(of_values, {length, width}));
      }
      const std::string what = std::string(name_of(dtype)) + ", heads of " + std::to_string(length);
      expect_same_mask(y[1], y[0], what);
      expect_same_mask(dv[1], dv[0], what + ", gradient");
    }
  }
}

/// What is queued once and run again takes its step from device memory, whatever the key says itself.
TEST_F(Masks, OfAStepInDeviceMemoryAreThoseOfThatStep) {
  const Tensor step = Tensor::from(std::vector<int32_t>{3}, {1}).to(kCuda);
  ops::DropoutKey there = kKey, other = kKey;
  there.random.step = other.random.step = 99;
  there.step_on_device = static_cast<const uint32_t*>(step.data());
  const Tensor offsets = Tensor::from(std::vector<int32_t>{0, 5, 70}, {3}).to(kCuda);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f64}) {
    const Tensor one = ones({64}, dtype, kCuda), residual = random_tensor({70, 64}, dtype, 2).to(kCuda);
    const std::pair<const char*, std::function<Tensor(const Tensor&, const ops::DropoutKey&)>> all[] = {
        {"dropout", [](const Tensor& x, const ops::DropoutKey& key) { return ops::dropout(x, key); }},
        {"dropout_add_layer_norm",
         [&](const Tensor& x, const ops::DropoutKey& key) {
           return ops::dropout_add_layer_norm(x, residual, one, one, 1e-12, key);
         }},
        {"attention", [&](const Tensor& x, const ops::DropoutKey& key) { return ops::attention(x, offsets, 2, key); }}};
    for (const auto& [name, op] : all) {
      const bool attends = std::string(name) == "attention";
      const auto values_with = [&](const ops::DropoutKey& key) {
        Tensor x = random_tensor({70, attends ? 192 : 64}, dtype, 1).to(kCuda);
        require_gradient(x);
        const Tensor y = op(x, key);
        backward(y, random_tensor({70, 64}, dtype, 3).to(kCuda));
        return std::pair(values_of(y), values_of(gradient_of(x)));
      };
      EXPECT_TRUE(values_with(there) == values_with(kKey)) << name << " " << name_of(dtype);
      EXPECT_FALSE(values_with(other) == values_with(kKey)) << name << " " << name_of(dtype) << ": no step is read";
    }
  }
}

}  // namespace
}  // namespace suanli
