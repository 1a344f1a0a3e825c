// Calls that break the contracts of the ops over images.
#include <utility>

#include "cases.h"
#include "ops/activation.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"
#include "ops/roi_align.h"
#include "ops/upsample.h"

namespace suanli::testing {

std::vector<ErrorCase> image_error_cases() {
  using namespace suanli::ops;
  std::vector<ErrorCase> cases;
  const auto expect = [&cases](const char* op, const char* label, std::function<void()> run) {
    cases.push_back({op, label, std::move(run)});
  };
  const auto zeros = [](const Shape& shape, DType dtype = DType::f32) { return Tensor::zeros(shape, dtype); };
  const Tensor image = zeros({1, 5, 5, 4}), weight = zeros({6, 3, 3, 4});

  expect("conv2d", "undefined", [=] { conv2d({}, weight, {}); });
  expect("conv2d", "rank", [=] { conv2d(zeros({5, 5, 4}), weight, {}); });
  expect("conv2d", "channels", [=] { conv2d(zeros({1, 5, 5, 3}), weight, {}); });
  expect("conv2d", "groups", [=] { conv2d(image, weight, {}, {.groups = 3}); });
  expect("conv2d", "no groups", [=] { conv2d(image, weight, {}, {.groups = 0}); });
  expect("conv2d", "bias", [=] { conv2d(image, weight, zeros({5})); });
  expect("conv2d", "dtype", [=] { conv2d(image, zeros({6, 3, 3, 4}, DType::bf16), {}); });
  expect("conv2d", "window", [=] { conv2d(zeros({1, 2, 5, 4}), weight, {}); });
  expect("conv2d", "stride", [=] { conv2d(image, weight, {}, {.stride = {0, 1}}); });
  expect("conv2d", "padding", [=] { conv2d(image, weight, {}, {.padding = {0, -1}}); });
  expect("conv2d", "end padding", [=] { conv2d(image, weight, {}, {.end_padding = {-1, 0}}); });
  expect("conv2d", "dilation", [=] { conv2d(image, weight, {}, {.dilation = {0, 1}}); });
  const Tensor turned = zeros({4, 3, 3, 6});
  expect("conv_transpose2d", "undefined", [=] { conv_transpose2d(image, {}, {}); });
  expect("conv_transpose2d", "channels", [=] { conv_transpose2d(zeros({1, 5, 5, 3}), turned, {}); });
  expect("conv_transpose2d", "bias", [=] { conv_transpose2d(image, turned, zeros({4})); });
  expect("conv_transpose2d", "output padding", [=] {
    conv_transpose2d(image, turned, {}, {.output_padding = {1, 0}});
  });
  expect("conv_transpose2d", "nothing left", [=] {
    conv_transpose2d(zeros({1, 1, 1, 4}), turned, {}, {.padding = {2, 2}});
  });

  const std::pair<const char*, Tensor (*)(const Tensor&, const Pool2dOptions&)> pools[] = {{"max_pool2d", &max_pool2d},
                                                                                           {"avg_pool2d", &avg_pool2d}};
  for (const auto& [op, run] : pools) {
    expect(op, "undefined", [run = run] { run({}, {}); });
    expect(op, "rank", [=, run = run] { run(zeros({5, 5, 4}), {}); });
    expect(op, "window", [=, run = run] { run(image, {.kernel = {6, 2}}); });
    expect(op, "padding", [=, run = run] { run(image, {.padding = {2, 0}}); });
    expect(op, "kernel", [=, run = run] { run(image, {.kernel = {0, 2}}); });
    expect(op, "integers", [=, run = run] { run(zeros({1, 5, 5, 4}, DType::i32), {}); });
  }
  expect("avg_pool2d", "global rank", [=] { global_avg_pool2d(zeros({3, 4})); });

  const std::pair<const char*, Tensor (*)(const Tensor&, const RunningStatistics&, const Tensor&, const Tensor&,
                                          const BatchNormOptions&)>
      norms[] = {{"batch_norm", &batch_norm}, {"batch_norm_relu", &batch_norm_relu}};
  for (const auto& [op, run] : norms) {
    const auto call = [=, run = run](const Tensor& x, int64_t width, int64_t averages, bool training, DType dtype) {
      const RunningStatistics running = {zeros({averages}), zeros({averages})};
      run(x, running, zeros({width}, dtype), zeros({width}, dtype), {.training = training});
    };
    expect(op, "undefined", [=] { call({}, 4, 4, true, DType::f32); });
    expect(op, "weight", [=] { call(image, 5, 4, true, DType::f32); });
    expect(op, "averages", [=] { call(image, 4, 3, false, DType::f32); });
    expect(op, "dtype", [=] { call(image, 4, 4, false, DType::bf16); });
    expect(op, "one value to train on", [=] { call(zeros({1, 4}), 4, 4, true, DType::f32); });
  }

  expect("cat", "undefined", [=] { cat(image, {}); });
  expect("cat", "sizes", [=] { cat(zeros({3, 4}), zeros({2, 4})); });
  expect("cat", "dtypes", [=] { cat(zeros({3, 4}), zeros({3, 4}, DType::bf16)); });
  expect("channels_first", "rank", [=] { channels_first(zeros({3, 4})); });
  expect("channels_last", "rank", [=] { channels_last(zeros({3, 4})); });
  expect("pixel_shuffle", "rank", [=] { pixel_shuffle(zeros({3, 4}), 2); });
  expect("pixel_shuffle", "channels", [=] { pixel_shuffle(image, 3); });
  expect("pixel_shuffle", "factor", [=] { pixel_shuffle(image, 0); });
  expect("pixel_shuffle", "huge factor", [=] { pixel_shuffle(image, int64_t{1} << 32); });
  expect("relu6", "undefined", [] { relu6({}); });
  expect("relu6", "integers", [=] { relu6(zeros({2}, DType::i32)); });
  expect("reshape", "undefined", [] { reshape({}, {1}); });
  expect("reshape", "counts", [=] { reshape(image, {3, 4}); });
  const Tensor boxes = zeros({2, 4}), image_of = zeros({2}, DType::i32), far = integers_of({0, 1});
  expect("roi_align", "undefined", [=] { roi_align({}, boxes, image_of, {}); });
  expect("roi_align", "rank", [=] { roi_align(zeros({5, 5, 4}), boxes, image_of, {}); });
  expect("roi_align", "boxes", [=] { roi_align(image, zeros({2, 5}), image_of, {}); });
  expect("roi_align", "dtype of boxes", [=] { roi_align(image, zeros({2, 4}, DType::f64), image_of, {}); });
  expect("roi_align", "image_of", [=] { roi_align(image, boxes, zeros({3}, DType::i32), {}); });
  expect("roi_align", "image outside", [=] { roi_align(image, boxes, far, {}); });
  expect("roi_align", "output", [=] { roi_align(image, boxes, image_of, {.output_size = {0, 7}}); });
  expect("roi_align", "scale", [=] { roi_align(image, boxes, image_of, {.spatial_scale = 0}); });
  expect("roi_align", "samples", [=] { roi_align(image, boxes, image_of, {.sampling_ratio = -1}); });
  expect("upsample", "rank", [=] { upsample(zeros({3, 4}), {6, 8}, Interpolation::nearest); });
  expect("upsample", "size", [=] { upsample(image, {0, 8}, Interpolation::nearest); });
  expect("upsample", "corners", [=] { upsample(image, {6, 8}, Interpolation::nearest, true); });
  return cases;
}

}  // namespace suanli::testing
