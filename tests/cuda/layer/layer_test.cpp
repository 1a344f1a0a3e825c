/// An encoder layer of MiniLM's size (hidden 384, 12 heads, 1536 between) forward and backward: the device's outputs
/// and gradients are the CPU's, with dropout on.
#include "device.h"
#include "nn/transformer.h"

namespace suanli {
namespace {

struct Pass {
  Tensor y, dx;
  std::vector<nn::Parameter> gradients;
};

class Layer : public BesideTheCpu {
 protected:
  /// One pass on `device` in `dtype`, weights in f32: three sequences, of which one is longer than a tile of 64
  /// queries.
  static Pass pass(Device device, DType dtype) {
    nn::Parameters parameters({.seed = 5, .device = device});
    const nn::EncoderLayer layer(nn::ParameterScope(parameters), {.hidden = kHidden,
                                                                  .heads = 12,
                                                                  .intermediate = 1536,
                                                                  .dropout = 0.1F,
                                                                  .attention_dropout = 0.1F,
                                                                  .initializer_range = 0.05});
    const std::vector<int32_t> offsets = {0, 3, 20, 86};
    const int64_t tokens = offsets.back();
    Tensor x = random_tensor({tokens, kHidden}, dtype, 1).to(device);
    require_gradient(x);
    const Tensor y =
        layer(x, Tensor::from(offsets, {4}).to(device), {.training = true, .dtype = dtype, .seed = 3, .step = 2});
    backward(y, random_tensor({tokens, kHidden}, dtype, 2).to(device));
    Pass out = {.y = y, .dx = gradient_of(x), .gradients = {}};
    for (const nn::Parameter& parameter : parameters.all()) {
      out.gradients.push_back({parameter.name, gradient_of(parameter.value)});
    }
    return out;
  }

  static void expect_same(DType dtype, double tolerance) {
    const Pass cpu = pass(kCpu, dtype), cuda = pass(kCuda, dtype);
    EXPECT_LT(distance(cuda.y, cpu.y), tolerance);
    EXPECT_LT(distance(cuda.dx, cpu.dx), tolerance);
    ASSERT_EQ(cuda.gradients.size(), 12U);
    for (size_t i = 0; i < cpu.gradients.size(); ++i) {
      EXPECT_EQ(cuda.gradients[i].name, cpu.gradients[i].name);
      EXPECT_LT(distance(cuda.gradients[i].value, cpu.gradients[i].value), tolerance) << cpu.gradients[i].name;
    }
  }

  static constexpr int64_t kHidden = 384;
};

// Sums of at most 1536 terms in another order, 4 of them one after the other each way: sqrt(8 * 1536) roundings of
// 2^-24, as good as independent, are 7e-6.
TEST_F(Layer, InF32) { expect_same(DType::f32, 1e-5); }

// Both devices round each array that they store to 8 bits, a change of 2^-9 / sqrt(3) of it on average; sums that
// differ in their last f32 bit round to neighbours. Ten such arrays lie on the way of a gradient on each device: 5e-3.
TEST_F(Layer, InBf16) { expect_same(DType::bf16, 1e-2); }

}  // namespace
}  // namespace suanli
