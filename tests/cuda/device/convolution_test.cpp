// Convolutions through cuDNN in streams and graphs, and what `suanli doctor` says of it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "e2e/program.h"
#include "ops/cast.h"
#include "ops/conv2d.h"
#include "ops/initialize.h"
#include "stand_in.h"

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

Tensor numbers(const Shape& shape, DType dtype, int factor) {
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * factor % 17) - 8;
  return ops::cast(Tensor::from(values, shape).to(kCuda), dtype);
}

int convolutions() {
  void* const library = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<int (*)()>(dlsym(library, "stand_in_cudnn_convolutions"))();
}

/// x, weight and bias, whose gradients are wanted, and a step of theirs.
struct Step {
  Tensor x, weight, bias;

  explicit Step(DType dtype)
      : x(numbers({2, 6, 5, 8}, dtype, 5)),
        weight(numbers({8, 3, 3, 8}, DType::f32, 7)),
        bias(numbers({8}, DType::f32, 3)) {
    for (Tensor* each : {&x, &weight, &bias}) require_gradient(*each);
  }
  /// y and the gradients, on the device.
  std::vector<Tensor> run() const {
    for (const Tensor* each : {&x, &weight, &bias}) gradient_of(*each) = {};
    const Tensor y = ops::conv2d(x, weight, bias, {.padding = {1, 1}});
    backward(y, detach(y));
    return {detach(y), gradient_of(x), gradient_of(weight), gradient_of(bias)};
  }
};

std::vector<std::vector<float>> on_host(const std::vector<Tensor>& tensors) {
  std::vector<std::vector<float>> out;
  for (const Tensor& tensor : tensors) {
    const Tensor all = ops::cast(tensor, DType::f32).to({});
    out.emplace_back(all.host<float>().begin(), all.host<float>().end());
  }
  return out;
}

class DeviceConvolution : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override { initialize(); }
};

// A stream that runs ahead of another, or that nothing runs in before it must, is no other order for the library's
// work.
TEST_P(DeviceConvolution, RunsInTheOrderOfTheStream) {
  const Step step(GetParam());
  const auto late = on_host(step.run());
  const EarlyStreams early;
  EXPECT_EQ(on_host(step.run()), late);
}

// A recording may neither take memory from the driver nor wait; its workspace and widened operands are the graph's.
TEST_P(DeviceConvolution, IsRecordedAndReplayedOverNewNumbers) {
  const Step step(GetParam());
  step.run();  // the library opens and is asked for its algorithms
  std::vector<Tensor> results;
  const int before = convolutions();
  const auto graph = backend(kCuda).capture([&] { results = step.run(); });
  EXPECT_EQ(convolutions() - before, 3) << "y, dx and dweight";
  for (const int factor : {5, 11}) {
    step.x.copy_from(numbers(step.x.shape(), GetParam(), factor));
    graph->replay();
    const auto replayed = on_host(results);
    Step plain(GetParam());
    plain.x.copy_from(step.x);
    EXPECT_EQ(replayed, on_host(plain.run())) << factor;
  }
}

INSTANTIATE_TEST_SUITE_P(, DeviceConvolution, testing::Values(DType::f32, DType::bf16),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST(DoctorOfConvolution, SaysWhichCudnnThereIs) {
  setenv("LD_LIBRARY_PATH", CUDA_STAND_IN_DIR, 1);
  const e2e::ProgramRun run = e2e::suanli("doctor");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find(" cuDNN 9."), std::string::npos) << run.out;
}

}  // namespace
}  // namespace suanli
