// Convolutions of whole images against their definition, and what cuDNN is asked for.
#include <cmath>

#include "kernels/convolution.h"
#include "kernels/harness.h"
#include "kernels/stand_in.h"
#include "kernels/tf32.h"

namespace suanli::testing {
namespace {

using namespace kernels;

WindowAxis image_axis(int64_t in, int64_t kernel, int64_t stride = 1, int64_t padding = 0, int64_t dilation = 1) {
  const int64_t out = (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  return {in, out, kernel, stride, padding, dilation};
}

/// One pixel and many, odd sizes, windows that overlap, leave gaps, reach outside and skip; groups; pixels that no
/// window sees.
std::vector<ConvolutionShape> all_shapes() {
  return {{{0, 3, image_axis(5, 3), image_axis(4, 2)}, 2, 1},
          {{1, 1, image_axis(1, 1), image_axis(1, 1)}, 1, 1},
          {{3, 17, image_axis(7, 3, 2, 1), image_axis(5, 2, 3)}, 5, 1},
          {{2, 3, image_axis(6, 3, 1, 1), image_axis(9, 5, 2, 2)}, 8, 1},
          {{2, 4, image_axis(9, 3, 1, 2, 2), image_axis(8, 2, 2, 0, 3)}, 6, 1},
          {{2, 3, image_axis(6, 3, 2, 1), image_axis(5, 3, 1, 1)}, 8, 4},
          {{2, 3, image_axis(6, 3, 2, 1), image_axis(5, 3, 1, 1)}, 8, 2},
          {{1, 2, image_axis(4, 1, 2), image_axis(7, 1, 3)}, 6, 3}};
}

std::string text_of(const ConvolutionShape& shape) {
  return work_of(ConvolutionForward{nullptr, nullptr, nullptr, nullptr, shape, DType::f32}).shape;
}

/// Of a sum of `terms` products of two normal numbers below 6, and a bias.
Bound products_bound(int64_t terms) {
  return [=](size_t, const std::vector<Values>&, DType dtype) {
    return sum_error(sum_dtype(dtype), terms + 1, 36.0 * static_cast<double>(terms + 1));
  };
}

constexpr Device device_of_test() { return {DeviceType::cuda, 0}; }

Problem<ConvolutionForward> forward_problem(const ConvolutionShape& shape, bool biased) {
  return {text_of(shape) + (biased ? " bias" : ""),
          {Array::input("x", normal(shape.x_elements(), 1)), Array::input("weight", normal(shape.weight_elements(), 2)),
           biased ? Array::input("bias", normal(shape.outputs, 3), Kind::statistic) : Array::absent("bias"),
           Array::output("y", shape.y_elements(), products_bound(shape.windows.taps() * shape.windows.channels))},
          [=](DType dtype, const Pointers& p) {
            return ConvolutionForward{p[0], p[1], p[2], p[3], shape, dtype, device_of_test()};
          }};
}

Problem<ConvolutionBackward> backward_problem(const ConvolutionShape& shape, bool biased) {
  const int64_t terms = shape.windows.taps() * shape.outputs / shape.groups;
  return {
      text_of(shape) + (biased ? " bias" : ""),
      {Array::input("dy", normal(shape.y_elements(), 4)), Array::input("weight", normal(shape.weight_elements(), 5)),
       biased ? Array::input("bias", normal(shape.inputs(), 6), Kind::statistic) : Array::absent("bias"),
       Array::output("dx", shape.x_elements(), products_bound(terms))},
      [=](DType dtype, const Pointers& p) {
        return ConvolutionBackward{p[0], p[1], p[2], p[3], shape, dtype, device_of_test()};
      }};
}

/// The result is f32 also of 16-bit operands: one rounding to 16 bits would be seen.
Problem<ConvolutionWeight> weight_problem(const ConvolutionShape& shape) {
  const auto norms = [=](size_t, const std::vector<Values>& v, DType dtype) {
    return sum_error(sum_dtype(dtype), shape.windows.positions() + 1, norm(v[0]) * norm(v[1]));
  };
  return {text_of(shape),
          {Array::input("dy", normal(shape.y_elements(), 7)), Array::input("x", normal(shape.x_elements(), 8)),
           Array::output("dweight", shape.weight_elements(), norms, Kind::statistic)},
          [=](DType dtype, const Pointers& p) {
            return ConvolutionWeight{p[0], p[1], p[2], shape, dtype, device_of_test()};
          }};
}

TEST(Convolution, EveryWindowAndGroup) {
  for (const ConvolutionShape& shape : all_shapes()) {
    for (const bool biased : {false, true}) {
      check_all(convolution_forward, forward_problem(shape, biased));
      check_all(convolution_backward, backward_problem(shape, biased));
    }
    check_all(convolution_weight, weight_problem(shape));
  }
}

/// An address for calls that are asked about and not made.
std::byte* somewhere() {
  alignas(16) static std::byte memory[32];
  return memory;
}

/// cuDNN's implementation. Its tests have nothing to ask where it is not in the build, or no device or library is
/// there.
class CudnnConvolution : public ::testing::Test {
 protected:
  bool is_there() const {
    return library_ != nullptr && device_count(DeviceType::cuda) > 0 &&
           refusal(forward_problem(kPlain, false), DType::f32, 0) == nullptr;
  }

  /// What the implementation says to a call.
  static Refusal refusal(const Problem<ConvolutionForward>& problem, DType dtype, int off) {
    Pointers pointers;
    for (const Array& array : problem.arrays) pointers.push_back(array.null ? nullptr : somewhere() + off);
    return convolution_forward.find("cudnn", DeviceType::cuda)->can_run(problem.args(dtype, pointers), machine());
  }
  Values result(const Problem<ConvolutionForward>& problem, const std::vector<Values>& values, DType dtype) const {
    auto buffers = run_implementation(*library_, problem, values, dtype, 0);
    return buffers.empty() ? Values() : buffers[3].read();
  }
  static std::vector<Values> values_of(const Problem<ConvolutionForward>& problem, DType dtype) {
    std::vector<Values> out;
    for (const Array& array : problem.arrays) {
      out.push_back(array.values);
      for (double& value : out.back()) value = round_to(dtype_of_kind(array.kind, dtype), value);
    }
    return out;
  }

  const ConvolutionShape kPlain = {{2, 8, image_axis(6, 3, 1, 1), image_axis(6, 3, 1, 1)}, 8, 1};
  const Implementation<ConvolutionForward>* library_ = convolution_forward.find("cudnn", DeviceType::cuda);
};

/// What the stand-in of the library counts, null where it is another: it takes every shape of these tests.
int (*count_of_stand_in(const char* name))() { return of_stand_in<int()>("libcudnn.so.9", name); }

// What it refuses goes by rows of windows in silence: without this test a wrong description would only be slow.
TEST_F(CudnnConvolution, TakesEveryShape) {
  if (!is_there() || count_of_stand_in("stand_in_cudnn_questions") == nullptr) return;
  const auto taken = []<class Args>(const Kernel<Args>& kernel, const Problem<Args>& problem, DType dtype) {
    const Pointers pointers(4, somewhere());
    EXPECT_STREQ(kernel.find("cudnn", DeviceType::cuda)->can_run(problem.args(dtype, pointers), machine()), nullptr)
        << kernel.name() << " " << problem.label << " " << name_of(dtype);
  };
  for (const ConvolutionShape& shape : all_shapes()) {
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      if (shape.x_elements() == 0) continue;
      taken(convolution_forward, forward_problem(shape, true), dtype);
      taken(convolution_backward, backward_problem(shape, true), dtype);
      taken(convolution_weight, weight_problem(shape), dtype);
    }
  }
}

TEST_F(CudnnConvolution, SaysWhatItCannotDo) {
  if (!is_there()) return;
  EXPECT_STREQ(refusal(forward_problem(kPlain, false), DType::f64, 0), "dtype is none of f32, bf16, f16");
  EXPECT_STREQ(refusal(forward_problem(kPlain, false), DType::bf16, 2), "an array does not lie on 16 bytes");
  EXPECT_STREQ(refusal(forward_problem(all_shapes()[0], false), DType::f32, 0), "there is nothing to sum");
  ConvolutionShape longer = kPlain;
  longer.windows.vertical.out += 1;
  EXPECT_STREQ(refusal(forward_problem(longer, false), DType::f32, 0), "the padding is not the same on both sides");
}

// Its heuristics take longer than a small convolution. Counted by the stand-in.
TEST_F(CudnnConvolution, IsAskedForAnAlgorithmOnceForEachShape) {
  if (!is_there()) return;
  const auto count = count_of_stand_in("stand_in_cudnn_questions");
  if (count == nullptr) return;
  const auto questions_of = [&](const ConvolutionShape& shape, DType dtype, bool biased) {
    const int before = count();
    const auto problem = forward_problem(shape, biased);
    EXPECT_FALSE(result(problem, values_of(problem, dtype), dtype).empty());
    return count() - before;
  };
  const ConvolutionShape shape = {{3, 5, image_axis(5, 2), image_axis(7, 2)}, 9, 1};  // of no other test
  EXPECT_EQ(questions_of(shape, DType::f32, false), 1);
  EXPECT_EQ(questions_of(shape, DType::f32, false), 0);
  EXPECT_EQ(questions_of(shape, DType::f32, true), 0) << "the bias is not the library's";
  EXPECT_EQ(questions_of(shape, DType::bf16, false), 1);
  EXPECT_EQ(questions_of(shape, DType::bf16, true), 1) << "as f32 that may be tf32";
}

// f32 is multiplied as it is unless tf32 is allowed; 16-bit operands that go to the library as f32 are tf32 numbers
// already, so that allowing it changes no bit of theirs.
TEST_F(CudnnConvolution, UsesTf32WhereItIsAllowed) {
  if (!is_there()) return;
  const auto problem = forward_problem(kPlain, true);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const auto values = values_of(problem, dtype);
    const Values plain = result(problem, values, dtype);
    tf32_allowed = true;
    const Values tf32 = result(problem, values, dtype);
    tf32_allowed = false;
    if (dtype != DType::f32) {
      EXPECT_EQ(plain, tf32) << name_of(dtype);
    } else if (count_of_stand_in("stand_in_cudnn_questions") != nullptr) {  // the library may find f32 as fast
      EXPECT_NE(plain, tf32);
    }
  }
}

}  // namespace
}  // namespace suanli::testing
