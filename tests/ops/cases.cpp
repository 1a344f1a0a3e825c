#include "cases.h"

#include "autograd/tape.h"
#include "base/random.h"
#include "device.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/attention.h"
#include "ops/cached_attention.h"
#include "ops/cast.h"
#include "ops/dropout.h"
#include "ops/embedding.h"
#include "ops/feed_forward.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/linear_cross_entropy.h"
#include "ops/loss.h"
#include "ops/pooling.h"
#include "ops/quantized_linear.h"
#include "ops/rms_norm.h"
#include "ops/rotary_embedding.h"
#include "ops/swiglu.h"

namespace suanli::testing {

namespace {

const kernels::DropoutKey kDropout = {0.3F, {.seed = 9, .step = 4, .site = 2}};
const kernels::DropoutKey kAttentionDropout = {0.25F, {.seed = 9, .step = 4, .site = 2}};

std::vector<double> numbers(int64_t count, uint32_t site, const Input& input) {
  RandomGenerator random({.seed = 2024, .step = 0, .site = site});
  std::vector<double> out(static_cast<size_t>(count));
  for (double& value : out) value = input.probability ? random.next_uniform() : input.size * random.next_normal();
  return out;
}

OpCase unary(const char* op, Tensor (*run)(const Tensor&)) {
  return {op, "", {{{4, 9}, 2}}, {}, [run](const Tensors& x) { return run(x[0]); }, nullptr};
}
OpCase binary(const char* op, Tensor (*run)(const Tensor&, const Tensor&), int64_t terms = 1) {
  return {op, "", {{{4, 9}}, {{4, 9}}}, {}, [run](const Tensors& x) { return run(x[0], x[1]); }, nullptr, terms};
}

OpCase attention_case(const char* label, const kernels::DropoutKey& key, bool causal = false) {
  const std::vector<int32_t> offsets = {0, 5, 5, 12};
  return {"attention",
          label,
          {{{12, 24}}},
          {{"offsets", offsets}},
          [=](const Tensors& x) { return ops::attention(x[0], integers_of(offsets), 2, key, causal); },
          nullptr,
          16};
}

/// Four query heads over two of keys, D = 4.
OpCase grouped_attention_case() {
  const std::vector<int32_t> offsets = {0, 5, 5, 12};
  return {"attention",
          "grouped",
          {{{12, 32}}},
          {{"offsets", offsets}},
          [=](const Tensors& x) { return ops::attention(x[0], integers_of(offsets), 4, {}, true, 2); },
          nullptr,
          32};
}

/// Inputs: qkv of new tokens; the cache before.
OpCase cached_attention_case(const char* label, const std::vector<int32_t>& offsets,
                             const std::vector<int32_t>& lengths) {
  return {"cached_attention",
          label,
          {{{offsets.back(), 32}}, {{2, 2, 7, 4}}, {{2, 2, 7, 4}}},
          {{"offsets", offsets}, {"lengths", lengths}},
          [=](const Tensors& x) {
            // A copy, because the op writes; views where a gradient must be refused.
            const auto own = [](const Tensor& t) { return t.tape() == nullptr ? t.clone() : t; };
            return ops::cached_attention(x[0], integers_of(offsets), integers_of(lengths), own(x[1]), own(x[2]), 4);
          },
          nullptr,
          16,
          false};
}

OpCase cross_entropy_case(const char* label, const std::vector<int32_t>& labels,
                          const ops::CrossEntropyOptions& options) {
  return {"cross_entropy",
          label,
          {{{6, 7}, 2}},
          {{"labels", labels}},
          [=](const Tensors& x) { return ops::cross_entropy(x[0], integers_of(labels), options); },
          nullptr,
          7};
}

/// Labels of six rows over seven classes, in chunks of two rows.
OpCase linear_cross_entropy_case(const char* label, const std::vector<int32_t>& labels, bool with_bias,
                                 const ops::CrossEntropyOptions& options) {
  std::vector<Input> inputs = {{{6, 5}}, {{7, 5}, 1, true}};
  if (with_bias) inputs.push_back({{7}, 1, true});
  return {"linear_cross_entropy",
          label,
          std::move(inputs),
          {{"labels", labels}},
          [=](const Tensors& x) {
            return ops::linear_cross_entropy(x[0], x[1], with_bias ? x[2] : Tensor(), integers_of(labels), options, 20);
          },
          [=](const Tensors& x) {
            return ops::cross_entropy(ops::linear(x[0], x[1], with_bias ? x[2] : Tensor()), integers_of(labels),
                                      options);
          },
          8};
}

OpCase focal_loss_case(const char* label, int64_t classes, const std::vector<int32_t>& labels, bool weighted,
                       const ops::FocalLossOptions& options) {
  std::vector<Input> inputs = {{{6, classes}, 2}};
  if (weighted) inputs.push_back({{classes}, 1, false, true, true});
  return {
      "focal_loss",
      label,
      std::move(inputs),
      {{"labels", labels}},
      [=](const Tensors& x) { return ops::focal_loss(x[0], integers_of(labels), weighted ? x[1] : Tensor(), options); },
      nullptr,
      8};
}

OpCase loss_case(const char* op, const char* label, Tensor (*run)(const Tensor&, const Tensor&, double),
                 double normalizer, bool probability) {
  return {op,
          label,
          {{{4, 3}, 3}, {{4, 3}, 1, false, true, probability}},
          {},
          [=](const Tensors& x) { return run(x[0], x[1], normalizer); },
          nullptr,
          12};
}

OpCase smooth_l1_case(const char* label, double beta, double normalizer) {
  return {"smooth_l1_loss",
          label,
          {{{4, 3}, 2}, {{4, 3}, 1, false, true}},
          {},
          [=](const Tensors& x) { return ops::smooth_l1_loss(x[0], x[1], beta, normalizer); },
          nullptr,
          12};
}

OpCase soft_cross_entropy_case(const char* label, double normalizer) {
  return {"soft_cross_entropy",
          label,
          {{{6, 7}, 2}, {{6, 7}, 1, false, true, true}},
          {},
          [=](const Tensors& x) { return ops::soft_cross_entropy(x[0], x[1], normalizer); },
          nullptr,
          42};
}

OpCase dice_loss_case(const char* label, int64_t pictures, const std::vector<int32_t>& labels,
                      const ops::DiceLossOptions& options) {
  return {"dice_loss",
          label,
          {{{static_cast<int64_t>(labels.size()), 3}, 2}},
          {{"labels", labels}},
          [=](const Tensors& x) { return ops::dice_loss(x[0], integers_of(labels), pictures, options); },
          nullptr,
          24};
}

OpCase fused_norm_case(const char* label, const kernels::DropoutKey& key) {
  return {"dropout_add_layer_norm",
          label,
          {{{5, 9}}, {{5, 9}}, {{9}, 1, true}, {{9}, 1, true}},
          {},
          [=](const Tensors& x) { return ops::dropout_add_layer_norm(x[0], x[1], x[2], x[3], 1e-5, key); },
          [=](const Tensors& x) { return ops::layer_norm(ops::add(x[1], ops::dropout(x[0], key)), x[2], x[3], 1e-5); },
          9};
}

OpCase feed_forward_case(const char* label, ops::Activation f) {
  return {"feed_forward",
          label,
          {{{5, 7}}, {{6, 7}, 1, true}, {{6}, 1, true}, {{3, 6}, 1, true}, {{3}, 1, true}},
          {},
          [=](const Tensors& x) {
            return ops::feed_forward(x[0], {x[1], x[2]}, f, {x[3], x[4]});
          },
          [=](const Tensors& x) { return ops::linear(ops::activate(f, ops::linear(x[0], x[1], x[2])), x[3], x[4]); },
          8};
}

OpCase quantized_case(const char* label, std::optional<kernels::Activation> activation) {
  return {"quantized_linear",
          label,
          {{{5, 7}}, {{3, 7}, 1, true}, {{3}, 1, true}},
          {},
          [=](const Tensors& x) {
            return ops::quantized_linear(x[0], ops::quantize_weight(x[1]), x.size() > 2 ? x[2] : Tensor(), activation);
          },
          nullptr,
          8,
          false};
}

std::vector<OpCase> make_cases() {
  const std::vector<int32_t> ids = {1, 6, 1, 0, 1}, rows = {5, 0, 5, 2}, segments = {0, 3, 3, 9};
  const std::vector<int32_t> labels = {3, -100, 0, 6, 2, -100}, kept_labels = {3, 2, 0, 6, 2, 5};
  std::vector<OpCase> cases;
  cases.push_back(binary("add", &ops::add));
  cases.back().inputs = {{{3, 5}}, {{3, 5}}};
  cases.push_back(attention_case("", {}));
  cases.push_back(attention_case("dropout", kAttentionDropout));
  cases.push_back(attention_case("causal", {}, true));
  cases.push_back(attention_case("causal dropout", kAttentionDropout, true));
  cases.push_back(grouped_attention_case());
  cases.push_back(loss_case("bce_with_logits", "", &ops::bce_with_logits, 0, true));
  cases.push_back(loss_case("bce_with_logits", "normalizer", &ops::bce_with_logits, 7, true));
  cases.push_back(cached_attention_case("", {0, 1, 3}, {5, 2}));
  cases.push_back(cached_attention_case("first tokens", {0, 4, 7}, {0, 0}));
  cases.push_back(cached_attention_case("first tokens beside others", {0, 4, 6}, {0, 3}));
  cases.push_back(cached_attention_case("others beside first tokens", {0, 2, 3}, {4, 0}));
  // To another dtype, but in f64 where the gradient is checked.
  cases.push_back({"cast",
                   "",
                   {{{9}}},
                   {},
                   [](const Tensors& x) {
                     const DType from = x[0].dtype();
                     return ops::cast(x[0], from == DType::f32 ? DType::bf16 : from == DType::f64 ? from : DType::f32);
                   },
                   nullptr});
  cases.push_back(cross_entropy_case("", labels, {}));
  cases.push_back(cross_entropy_case("smoothing", labels, {.label_smoothing = 0.1}));
  cases.push_back(
      cross_entropy_case("normalizer", kept_labels, {.ignore_index = 2, .label_smoothing = 0.2, .normalizer = 5}));
  cases.push_back(linear_cross_entropy_case("", labels, true, {}));
  cases.push_back(linear_cross_entropy_case("no bias", kept_labels, false,
                                            {.ignore_index = 2, .label_smoothing = 0.2, .normalizer = 5}));
  const std::vector<int32_t> pixels = {0, 2, 1, 1, 2, 0, 0, 1}, some_pixels = {0, 2, -100, 1, -100, -100, 0, 1};
  cases.push_back(dice_loss_case("", 2, pixels, {.smooth = 1e-5}));
  cases.push_back(dice_loss_case("ignored", 2, some_pixels, {.normalizer = 3}));
  cases.push_back(
      {"dropout", "", {{{5, 9}}}, {}, [](const Tensors& x) { return ops::dropout(x[0], kDropout); }, nullptr});
  cases.push_back(fused_norm_case("", kDropout));
  cases.push_back(fused_norm_case("no dropout", {}));
  for (const bool narrow : {false, true}) {  // narrow: an f32 table gives bf16 rows
    cases.push_back({"embedding",
                     narrow ? "narrow" : "",
                     {{{7, 5}}},
                     {{"ids", ids}},
                     [=](const Tensors& x) {
                       const bool to_bf16 = narrow && x[0].dtype() == DType::f32;
                       return ops::embedding(x[0], integers_of(ids), to_bf16 ? DType::bf16 : x[0].dtype());
                     },
                     nullptr,
                     3});
  }
  cases.push_back(feed_forward_case("", ops::Activation::gelu));
  cases.push_back(feed_forward_case("tanh", ops::Activation::gelu_tanh));
  cases.push_back(unary("gelu", &ops::gelu));
  cases.push_back(unary("gelu_tanh", &ops::gelu_tanh));
  cases.push_back({"index_select",
                   "",
                   {{{6, 4}}},
                   {{"rows", rows}},
                   [=](const Tensors& x) { return ops::index_select(x[0], integers_of(rows)); },
                   nullptr,
                   2});
  cases.push_back({"layer_norm",
                   "",
                   {{{4, 9}}, {{9}, 1, true}, {{9}, 1, true}},
                   {},
                   [](const Tensors& x) { return ops::layer_norm(x[0], x[1], x[2], 1e-5); },
                   nullptr,
                   9});
  cases.push_back({"linear",
                   "",
                   {{{5, 7}}, {{3, 7}, 1, true}, {{3}, 1, true}},
                   {},
                   [](const Tensors& x) { return ops::linear(x[0], x[1], x[2]); },
                   nullptr,
                   8});
  cases.push_back({"linear",
                   "no bias",
                   {{{5, 7}}, {{3, 7}, 1, true}},
                   {},
                   [](const Tensors& x) { return ops::linear(x[0], x[1], {}); },
                   nullptr,
                   7});
  const std::vector<int32_t> classes = {1, 0, 0, 1, 1, 0};
  cases.push_back(focal_loss_case("", 2, classes, false, {}));
  cases.push_back(focal_loss_case("weights", 7, kept_labels, true, {.gamma = 1.5, .normalizer = 5}));
  cases.push_back(focal_loss_case("cross-entropy", 7, kept_labels, true, {.gamma = 0}));
  cases.push_back(loss_case("l1_loss", "", &ops::l1_loss, 0, false));
  cases.push_back(loss_case("l1_loss", "normalizer", &ops::l1_loss, 7, false));
  cases.push_back(loss_case("mse_loss", "", &ops::mse_loss, 0, false));
  cases.push_back(loss_case("mse_loss", "normalizer", &ops::mse_loss, 7, false));
  cases.push_back(smooth_l1_case("", 1, 0));
  cases.push_back(smooth_l1_case("beta", 0.4, 7));
  cases.push_back(binary("multiply", &ops::multiply));
  cases.back().inputs = {{{3, 5}}, {{3, 5}}};
  cases.push_back({"normalize", "", {{{4, 9}}}, {}, [](const Tensors& x) { return ops::normalize(x[0]); }, nullptr, 9});
  cases.push_back({"normalize",
                   "below eps",
                   {{{4, 9}}},
                   {},
                   [](const Tensors& x) { return ops::normalize(x[0], 100); },
                   nullptr,
                   9});
  cases.push_back(quantized_case("", {}));
  cases.push_back(quantized_case("gelu", kernels::Activation::gelu));
  cases.push_back(quantized_case("no bias", {}));
  cases.back().inputs.pop_back();
  add_recurrent_cases(cases);
  cases.push_back(unary("relu", &ops::relu));
  cases.push_back({"rms_norm",
                   "",
                   {{{4, 9}}, {{9}, 1, true}},
                   {},
                   [](const Tensors& x) { return ops::rms_norm(x[0], x[1], 1e-5); },
                   nullptr,
                   9});
  const std::vector<int32_t> positions = {2, 0, 1, 2, 4};
  cases.push_back({"rotary_embedding",
                   "",
                   {{{5, 15}}, {{6, 6}, 1, false, true}},
                   {{"positions", positions}},
                   [=](const Tensors& x) { return ops::rotary_embedding(x[0], integers_of(positions), x[1], 2); },
                   nullptr,
                   2});
  cases.push_back(binary("row_dot", &ops::row_dot, 9));
  cases.push_back({"scale", "", {{{9}}}, {}, [](const Tensors& x) { return ops::scale(x[0], -1.7); }, nullptr});
  cases.push_back({"segment_mean",
                   "",
                   {{{9, 4}}},
                   {{"offsets", segments}},
                   [=](const Tensors& x) { return ops::segment_mean(x[0], integers_of(segments)); },
                   nullptr,
                   6});
  cases.push_back(unary("sigmoid", &ops::sigmoid));
  cases.push_back(soft_cross_entropy_case("", 0));
  cases.push_back(soft_cross_entropy_case("normalizer", 5));
  cases.push_back({"swiglu", "", {{{4, 10}, 2}}, {}, [](const Tensors& x) { return ops::swiglu(x[0]); }, nullptr});
  cases.push_back(unary("tanh", &ops::tanh));
  for (OpCase& each : image_cases()) cases.push_back(std::move(each));
  return cases;
}

}  // namespace

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> cases = make_cases();
  return cases;
}

Tensor tensor_of(const std::vector<double>& values, const Shape& shape, DType dtype) {
  Tensor out = Tensor::empty(shape, dtype);
  dispatch_floating(dtype, [&]<class T>() {
    for (size_t i = 0; i < values.size(); ++i) out.host<T>()[i] = static_cast<T>(values[i]);
  });
  return test_device() == Device{} ? out : out.to(test_device());
}

std::vector<double> values_of(const Tensor& tensor) {
  std::vector<double> out;
  const Tensor host = tensor.to({});
  dispatch_floating(tensor.dtype(), [&]<class T>() {
    for (const T& value : host.host<T>()) {
      if constexpr (sizeof(T) == 2) {
        out.push_back(static_cast<double>(static_cast<float>(value)));
      } else {
        out.push_back(static_cast<double>(value));
      }
    }
  });
  return out;
}

Tensor integers_of(const std::vector<int32_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

DType input_dtype(const Input& input, DType dtype, bool wide) {
  if (dtype == DType::f64) return dtype;
  return input.target || (wide && input.parameter) ? DType::f32 : dtype;
}

std::vector<std::vector<double>> random_inputs(const OpCase& op_case) {
  std::vector<std::vector<double>> out;
  for (const Input& input : op_case.inputs) {
    out.push_back(numbers(input.shape.elements(), static_cast<uint32_t>(out.size() + 1), input));
  }
  return out;
}

std::vector<double> cotangent(int64_t count) { return numbers(count, 99, {}); }

Outcome run_case(const OpCase& op_case, const std::function<Tensor(const Tensors&)>& run,
                 const std::vector<std::vector<double>>& inputs, DType dtype, bool wide, std::vector<double> dy) {
  Tensors tensors;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = op_case.inputs[i];
    tensors.push_back(tensor_of(inputs[i], input.shape, input_dtype(input, dtype, wide)));
    if (op_case.has_gradient(i)) require_gradient(tensors.back());
  }
  const Tensor y = run(tensors);
  if (dy.empty()) dy = cotangent(y.elements());
  if (op_case.gradient) backward(y, tensor_of(dy, y.shape(), y.dtype()));

  Outcome outcome{values_of(y), y.dtype(), y.shape(), {}, {}};
  for (size_t i = 0; i < tensors.size(); ++i) {
    const bool has = op_case.has_gradient(i);
    outcome.gradients.push_back(has ? values_of(gradient_of(tensors[i])) : std::vector<double>{});
    outcome.gradient_dtypes.push_back(has ? gradient_of(tensors[i]).dtype() : dtype);
  }
  return outcome;
}

}  // namespace suanli::testing
