// Who convolves, the library of a device or products of rows, and that both give the same numbers.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/env.h"
#include "base/profile.h"
#include "cases.h"
#include "device.h"
#include "ops/conv2d.h"
#include "ops/initialize.h"
#include "tolerance.h"

namespace suanli::testing {
namespace {

class Convolution : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialize(); }
};

OpCase convolution_case(const Shape& x, const Shape& weight, const ops::Conv2dOptions& options) {
  return {"conv2d",
          "",
          {{x}, {weight, 1, true}, {{weight[0]}, 1, true}},
          {},
          [=](const Tensors& t) { return ops::conv2d(t[0], t[1], t[2], options); },
          nullptr};
}

/// "kernel implementation" of all kernels of `run`, forward and backward.
std::set<std::string> kernels_of(const OpCase& op_case, DType dtype) {
  start_profile();
  run_case(op_case, op_case.run, random_inputs(op_case), dtype, true);
  std::set<std::string> out;
  for (const ProfileEvent& event : stop_profile().events)
    out.insert(std::string(event.name) + " " + event.implementation);
  return out;
}

/// Whether cuDNN is there: the stand-in is, unless it is told to refuse. Nothing is known of other libraries.
std::optional<bool> has_cudnn() {
  if (test_device().type == DeviceType::cpu) return false;
  void* const opened = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD);
  if (opened == nullptr || dlsym(opened, "stand_in_cudnn_questions") == nullptr) return std::nullopt;
  return !environment("SUANLI_STAND_IN_CUDNN");
}

TEST_F(Convolution, GoesThroughTheLibraryOrThroughRowsAndNotBoth) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const std::set<std::string> all = kernels_of(convolution_case({2, 6, 5, 4}, {6, 3, 3, 4}, {}), dtype);
    for (const std::string& kernel : all) {
      EXPECT_FALSE(kernel.starts_with("convolution") && kernel.ends_with("ref")) << kernel;
    }
    if (!has_cudnn()) continue;
    for (const char* product :
         {"convolution.forward cudnn", "convolution.backward cudnn", "convolution.weight cudnn"}) {
      EXPECT_EQ(all.contains(product), *has_cudnn()) << product;
    }
    const bool rows = std::ranges::any_of(
        all, [](const std::string& kernel) { return kernel.starts_with("im2row") || kernel.starts_with("row2im"); });
    EXPECT_NE(rows, *has_cudnn());
  }
}

TEST_F(Convolution, IsAProductWhereRowsArePixelsAndStaysOursWhereChannelsStandAlone) {
  for (const OpCase& op_case : {convolution_case({2, 3, 4, 5}, {6, 1, 1, 5}, {}),
                                convolution_case({2, 5, 4, 6}, {6, 3, 3, 1}, {.groups = 6})}) {
    for (const std::string& kernel : kernels_of(op_case, DType::f32)) {
      EXPECT_FALSE(kernel.starts_with("convolution")) << kernel;
    }
  }
}

// Against f64, which always goes by rows. A result is one sum in f32 and one rounding, as is each gradient, but that
// rows of dx are rounded before they are added, one for each tap; the bias is f32 beside 16 bits.
TEST_F(Convolution, EveryShapeIsTheSumInF64Rounded) {
  const std::vector<OpCase> cases = {
      convolution_case({1, 1, 1, 1}, {1, 2, 2, 1}, {.padding = {1, 1}}),
      convolution_case({2, 7, 5, 3}, {5, 3, 3, 3}, {.padding = {1, 1}}),
      convolution_case({2, 8, 7, 4}, {6, 3, 2, 4}, {.stride = {2, 3}, .padding = {1, 0}}),
      convolution_case({1, 9, 11, 3}, {4, 3, 3, 3}, {.padding = {2, 4}, .dilation = {2, 4}}),
      convolution_case({2, 6, 5, 12}, {8, 3, 3, 3}, {.padding = {1, 1}, .groups = 4}),
      convolution_case({3, 5, 4, 6}, {4, 1, 1, 6}, {.stride = {2, 2}}),
      convolution_case({2, 5, 6, 3}, {4, 3, 3, 3}, {.stride = {2, 2}, .padding = {0, 0}, .end_padding = {1, 1}})};
  for (size_t c = 0; c < cases.size(); ++c) {
    const OpCase& op_case = cases[c];
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      SCOPED_TRACE(std::to_string(c) + " " + name_of(dtype));
      const bool by_library = kernels_of(op_case, dtype).contains("convolution.backward cudnn");
      const bool padded_alike = c + 1 < cases.size();
      EXPECT_EQ(by_library, has_cudnn() ? *has_cudnn() && padded_alike : by_library);
      auto inputs = random_inputs(op_case);
      for (size_t i = 0; i < inputs.size(); ++i) {  // the weight is rounded to 16 bits in any case
        const DType stored = i == 2 ? DType::f32 : dtype;
        inputs[i] = values_of(tensor_of(inputs[i], op_case.inputs[i].shape, stored));
      }
      const Outcome got = run_case(op_case, op_case.run, inputs, dtype, true);
      const auto dy = values_of(tensor_of(cotangent(got.y_shape.elements()), got.y_shape, dtype));
      const Outcome exact = run_case(op_case, op_case.run, inputs, DType::f64, false, dy);
      const auto expect_close = [&](const char* what, const std::vector<double>& ours, const std::vector<double>& truth,
                                    DType stored, int64_t roundings = 1) {
        ASSERT_EQ(ours.size(), truth.size()) << what;
        const double most = roundings == 1 ? 0 : largest(truth.data(), static_cast<int64_t>(truth.size()));
        // No sum here has more than 200 products of two normal numbers, each below 16.
        for (size_t i = 0; i < ours.size(); ++i) {
          const double of_rounding =
              1.01 * static_cast<double>(roundings) * rounding(stored, std::max(most, std::abs(truth[i])));
          ASSERT_NEAR(ours[i], truth[i], sum_error(DType::f32, 200, 200) + of_rounding) << what << " " << i;
        }
      };
      const Shape& weight = op_case.inputs[1].shape;
      expect_close("y", got.y, exact.y, dtype);
      expect_close("dx", got.gradients[0], exact.gradients[0], dtype, by_library ? 1 : 1 + weight[1] * weight[2]);
      expect_close("dweight", got.gradients[1], exact.gradients[1], DType::f32);
      expect_close("dbias", got.gradients[2], exact.gradients[2], DType::f32);
    }
  }
}

}  // namespace
}  // namespace suanli::testing
