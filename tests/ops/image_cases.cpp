// The cases of the ops over images, [B,H,W,C].
#include "cases.h"
#include "ops/activation.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"
#include "ops/roi_align.h"
#include "ops/upsample.h"

namespace suanli::testing {

namespace {

OpCase conv_case(const char* label, const Shape& x, const Shape& weight, bool bias, int64_t terms,
                 const ops::Conv2dOptions& options) {
  OpCase op_case = {"conv2d",
                    label,
                    {{x}, {weight, 1, true}},
                    {},
                    [=](const Tensors& t) { return ops::conv2d(t[0], t[1], bias ? t[2] : Tensor(), options); },
                    nullptr,
                    terms};
  if (bias) op_case.inputs.push_back({{weight[0]}, 1, true});
  return op_case;
}

OpCase transpose_case(const char* label, const Shape& x, const Shape& weight, int64_t terms,
                      const ops::ConvTranspose2dOptions& options) {
  return {"conv_transpose2d",
          label,
          {{x}, {weight, 1, true}, {{weight[3]}, 1, true}},
          {},
          [=](const Tensors& t) { return ops::conv_transpose2d(t[0], t[1], t[2], options); },
          nullptr,
          terms};
}

OpCase pool_case(const char* op, Tensor (*run)(const Tensor&, const ops::Pool2dOptions&), const char* label,
                 const Shape& x, const ops::Pool2dOptions& options) {
  return {op, label, {{x}}, {}, [=](const Tensors& t) { return run(t[0], options); }, nullptr, 9};
}

/// Running statistics 0.1 c - 0.2 and 0.5 + 0.25 c, as make_golden.py has them.
ops::RunningStatistics running_statistics(const Tensor& x) {
  std::vector<double> mean, var;
  for (int64_t c = 0; c < x.dim(-1); ++c) {
    mean.push_back(0.1 * static_cast<double>(c) - 0.2);
    var.push_back(0.5 + 0.25 * static_cast<double>(c));
  }
  const DType dtype = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  return {tensor_of(mean, {x.dim(-1)}, dtype), tensor_of(var, {x.dim(-1)}, dtype)};
}

OpCase norm_case(const char* op, const char* label, bool relu, bool training) {
  const ops::BatchNormOptions options = {.training = training, .eps = 1e-3};
  const auto plain = [=](const Tensors& x) {
    return ops::batch_norm(x[0], running_statistics(x[0]), x[1], x[2], options);
  };
  const auto fused = [=](const Tensors& x) {
    return ops::batch_norm_relu(x[0], running_statistics(x[0]), x[1], x[2], options);
  };
  OpCase op_case = {op, label, {{{2, 3, 4, 5}}, {{5}, 1, true}, {{5}, 1, true}}, {}, plain, nullptr, 24};
  if (relu) {
    op_case.run = fused;
    op_case.composition = [=](const Tensors& x) { return ops::relu(plain(x)); };
  }
  return op_case;
}

OpCase roi_align_case(const char* label, const ops::RoiAlignOptions& options) {
  const std::vector<int32_t> image_of = {1, 0, 1};
  // Eighths, so that every dtype has them, and no sample near a place where the interpolation bends.
  const std::vector<double> boxes = {0.375, 1.125, 6.625, 5.875, -2.125, 0.625,
                                     3.375, 9.125, 2.375, 2.625, 2.875,  3.125};
  return {"roi_align",
          label,
          {{{2, 4, 5, 3}}},
          {{"image_of", image_of}},
          [=](const Tensors& x) {
            const DType dtype = x[0].dtype() == DType::f64 ? DType::f64 : DType::f32;
            return ops::roi_align(x[0], tensor_of(boxes, {3, 4}, dtype), integers_of(image_of), options);
          },
          nullptr,
          96};
}

OpCase upsample_case(const char* label, const ops::Pair& size, ops::Interpolation kind, bool align_corners) {
  return {"upsample",
          label,
          {{{2, 3, 4, 2}}},
          {},
          [=](const Tensors& x) { return ops::upsample(x[0], size, kind, align_corners); },
          nullptr,
          8};
}

}  // namespace

std::vector<OpCase> image_cases() {
  using ops::Interpolation;
  std::vector<OpCase> cases;
  cases.push_back(pool_case("avg_pool2d", &ops::avg_pool2d, "", {2, 6, 4, 5}, {}));
  cases.push_back(pool_case("avg_pool2d", &ops::avg_pool2d, "padded", {1, 7, 6, 3},
                            {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}));
  cases.push_back(pool_case(
      "avg_pool2d", &ops::avg_pool2d, "edge", {1, 6, 5, 3},
      {.kernel = {3, 2}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true, .count_include_pad = false}));
  cases.push_back({"avg_pool2d",
                   "global",
                   {{{2, 3, 4, 5}}},
                   {},
                   [](const Tensors& x) { return ops::global_avg_pool2d(x[0]); },
                   nullptr,
                   12});
  cases.push_back(norm_case("batch_norm", "", false, true));
  cases.push_back(norm_case("batch_norm", "eval", false, false));
  cases.push_back(norm_case("batch_norm_relu", "", true, true));
  cases.push_back(norm_case("batch_norm_relu", "eval", true, false));
  cases.push_back(
      {"cat", "", {{{3, 4}}, {{3, 2}}}, {}, [](const Tensors& x) { return ops::cat(x[0], x[1]); }, nullptr});
  cases.push_back({"channels_first",
                   "",
                   {{{2, 3, 4, 5}}},
                   {},
                   [](const Tensors& x) { return ops::channels_first(x[0]); },
                   nullptr});
  cases.push_back(
      {"channels_last", "", {{{2, 5, 3, 4}}}, {}, [](const Tensors& x) { return ops::channels_last(x[0]); }, nullptr});
  cases.push_back(conv_case("", {2, 5, 6, 3}, {4, 3, 3, 3}, true, 60, {.padding = {1, 1}}));
  cases.push_back(conv_case("strides", {2, 7, 6, 3}, {4, 3, 2, 3}, true, 36,
                            {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}}));
  cases.push_back(conv_case("one pixel", {2, 3, 4, 5}, {6, 1, 1, 5}, false, 24, {}));
  cases.push_back(conv_case("groups", {1, 5, 4, 6}, {4, 3, 3, 3}, true, 27, {.padding = {1, 1}, .groups = 2}));
  cases.push_back(
      conv_case("depthwise", {2, 5, 4, 6}, {6, 3, 3, 1}, true, 12, {.stride = {2, 2}, .padding = {1, 1}, .groups = 6}));
  cases.push_back(conv_case("end padding", {2, 6, 4, 3}, {4, 3, 3, 3}, true, 36,
                            {.stride = {2, 2}, .padding = {0, 1}, .end_padding = {1, 2}}));
  cases.push_back(conv_case("depthwise end padding", {1, 4, 6, 5}, {5, 3, 3, 1}, true, 8,
                            {.stride = {2, 2}, .groups = 5, .end_padding = {1, 1}}));
  cases.push_back(conv_case("one pixel end padding", {1, 2, 3, 4}, {3, 1, 1, 4}, true, 12, {.end_padding = {1, 0}}));
  cases.push_back(transpose_case("", {2, 3, 4, 3}, {3, 2, 2, 4}, 24, {.stride = {2, 2}}));
  cases.push_back(transpose_case("padded", {1, 4, 3, 3}, {3, 3, 3, 2}, 27,
                                 {.stride = {2, 2}, .padding = {1, 1}, .output_padding = {1, 1}}));
  cases.push_back(transpose_case("one pixel", {1, 2, 3, 4}, {4, 1, 1, 3}, 6, {}));
  cases.push_back(pool_case("max_pool2d", &ops::max_pool2d, "", {2, 6, 4, 5}, {}));
  cases.push_back(pool_case("max_pool2d", &ops::max_pool2d, "padded", {1, 7, 6, 3},
                            {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}));
  cases.push_back(pool_case("max_pool2d", &ops::max_pool2d, "ceil", {1, 6, 5, 3},
                            {.kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true}));
  for (const int64_t factor : {2, 3}) {
    cases.push_back({"pixel_shuffle",
                     factor == 2 ? "" : "three",
                     {{{2, 3, 4, 2 * factor * factor}}},
                     {},
                     [=](const Tensors& x) { return ops::pixel_shuffle(x[0], factor); },
                     nullptr});
  }
  cases.push_back({"relu6", "", {{{4, 9}, 5}}, {}, [](const Tensors& x) { return ops::relu6(x[0]); }, nullptr});
  cases.push_back({"reshape",
                   "",
                   {{{3, 4}}},
                   {},
                   [](const Tensors& x) {
                     return ops::reshape(x[0], {2, 6});
                   },
                   nullptr});
  cases.push_back(roi_align_case("", {.output_size = {2, 3}, .spatial_scale = 0.5, .sampling_ratio = 2}));
  cases.push_back(roi_align_case("aligned", {.output_size = {3, 2}, .aligned = true}));
  cases.push_back(upsample_case("", {6, 8}, Interpolation::nearest, false));
  cases.push_back(upsample_case("bilinear", {6, 8}, Interpolation::bilinear, false));
  cases.push_back(upsample_case("smaller", {2, 3}, Interpolation::bilinear, false));
  cases.push_back(upsample_case("corners", {5, 7}, Interpolation::bilinear, true));
  return cases;
}

}  // namespace suanli::testing
