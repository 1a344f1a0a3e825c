// Calls that break the contracts of the ops: wrong shapes, dtypes, ranges and undefined tensors.
#include <limits>
#include <utility>

#include "cases.h"
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
#include "ops/recurrence.h"
#include "ops/rms_norm.h"
#include "ops/rotary_embedding.h"
#include "ops/swiglu.h"

namespace suanli::testing {

namespace {

Tensor zeros(Shape shape, DType dtype = DType::f32) { return Tensor::zeros(shape, dtype); }
const kernels::DropoutKey kNone = {};

std::vector<ErrorCase> make_errors() {
  using namespace suanli::ops;
  std::vector<ErrorCase> cases;
  const auto expect = [&cases](const char* op, const char* label, std::function<void()> run) {
    cases.push_back({op, label, std::move(run)});
  };

  // Activations and other functions of one tensor.
  expect("soft_cross_entropy", "shapes", [] { soft_cross_entropy(zeros({2, 3}), zeros({3, 2})); });
  expect("soft_cross_entropy", "rank", [] { soft_cross_entropy(zeros({3}), zeros({3})); });
  expect("soft_cross_entropy", "targets dtype", [] { soft_cross_entropy(zeros({2, 3}), zeros({2, 3}, DType::f64)); });
  expect("soft_cross_entropy", "undefined", [] { soft_cross_entropy(zeros({2, 3}), {}); });
  expect("soft_cross_entropy", "negative normalizer", [] { soft_cross_entropy(zeros({2, 3}), zeros({2, 3}), -1); });

  const auto dice = [](std::vector<int32_t> labels, int64_t pictures, DiceLossOptions options) {
    dice_loss(zeros({2, 3}), integers_of(labels), pictures, options);
  };
  expect("dice_loss", "label too large", [=] { dice({0, 3}, 1, {}); });
  expect("dice_loss", "negative label", [=] { dice({0, -1}, 1, {}); });
  expect("dice_loss", "number of labels", [=] { dice({0}, 1, {}); });
  expect("dice_loss", "no pictures", [=] { dice({0, 1}, 0, {}); });
  expect("dice_loss", "unequal pictures", [=] { dice({0, 1}, 3, {}); });
  expect("dice_loss", "no smoothing", [=] { dice({0, 1}, 1, {.smooth = 0}); });
  expect("dice_loss", "negative normalizer", [=] { dice({0, 1}, 1, {.normalizer = -1}); });
  expect("dice_loss", "undefined", [] { dice_loss({}, integers_of({0}), 1); });

  const std::pair<const char*, Tensor (*)(const Tensor&)> unary[] = {
      {"gelu", &gelu}, {"gelu_tanh", &gelu_tanh}, {"relu", &relu}, {"tanh", &ops::tanh}, {"sigmoid", &sigmoid}};
  for (const auto& [op, run] : unary) {
    expect(op, "undefined", [run = run] { run({}); });
    expect(op, "integers", [run = run] { run(zeros({2}, DType::i32)); });
  }
  expect("cast", "undefined", [] { cast({}, DType::f32); });
  expect("cast", "from integers", [] { cast(zeros({2}, DType::i64), DType::f32); });
  expect("cast", "to integers", [] { cast(zeros({2}), DType::i8); });
  expect("scale", "undefined", [] { ops::scale({}, 2); });
  expect("scale", "integers", [] { ops::scale(zeros({2}, DType::u8), 2); });
  for (const float p : {-0.1F, 1.0F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
    expect("dropout", "probability", [p] { ops::dropout(zeros({2}), {p, {}}); });
    expect("attention", "probability", [p] { attention(zeros({2, 6}), integers_of({0, 2}), 1, {p, {}}); });
    expect("dropout_add_layer_norm", "probability", [p] {
      dropout_add_layer_norm(zeros({2, 3}), zeros({2, 3}), zeros({3}), zeros({3}), 1e-5, {p, {}});
    });
  }
  expect("dropout", "undefined", [] { ops::dropout({}, {0.1F, {}}); });
  expect("dropout", "integers", [] { ops::dropout(zeros({2}, DType::i32), {0.1F, {}}); });

  // The feed-forward layer: x [2,3], up [4,3], down [5,4], each argument wrong in turn.
  const auto feed = [expect](const char* label, Tensor x, LinearMap up, LinearMap down) {
    expect("feed_forward", label, [=] { feed_forward(x, up, Activation::gelu, down); });
  };
  const LinearMap up = {zeros({4, 3}), zeros({4})}, down = {zeros({5, 4}), zeros({5})};
  feed("undefined", {}, up, down);
  feed("rank", zeros({6}), up, down);
  feed("integers", zeros({2, 3}, DType::i32), up, down);
  feed("up", zeros({2, 3}), {zeros({4, 2}), zeros({4})}, down);
  feed("up bias", zeros({2, 3}), {zeros({4, 3}), zeros({3})}, down);
  feed("no up bias", zeros({2, 3}), {zeros({4, 3}), {}}, down);
  feed("down", zeros({2, 3}), up, {zeros({5, 3}), zeros({5})});
  feed("down bias", zeros({2, 3}), up, {zeros({5, 4}), zeros({4})});
  feed("dtype", zeros({2, 3}), {zeros({4, 3}, DType::bf16), zeros({4})}, down);

  // Functions of two tensors of one shape.
  const std::pair<const char*, Tensor (*)(const Tensor&, const Tensor&)> binary[] = {
      {"add", &add}, {"multiply", &multiply}, {"row_dot", &ops::row_dot}};
  for (const auto& [op, run] : binary) {
    expect(op, "undefined a", [run = run] { run({}, zeros({2, 3})); });
    expect(op, "undefined b", [run = run] { run(zeros({2, 3}), {}); });
    expect(op, "shapes", [run = run] { run(zeros({2, 3}), zeros({3, 2})); });
    expect(op, "rank", [run = run] { run(zeros({2, 3}), zeros({6})); });
    expect(op, "dtypes", [run = run] { run(zeros({2, 3}), zeros({2, 3}, DType::bf16)); });
    expect(op, "integers", [run = run] { run(zeros({2, 3}, DType::i32), zeros({2, 3}, DType::i32)); });
  }
  expect("row_dot", "one dimension", [] { ops::row_dot(zeros({3}), zeros({3})); });

  const auto head = [expect](const char* label, Tensor x, Tensor weight, Tensor bias, std::vector<int32_t> labels,
                             CrossEntropyOptions options = {}) {
    for (const int64_t most : {1, 1000}) {  // in chunks and whole
      expect("linear_cross_entropy", label,
             [=] { linear_cross_entropy(x, weight, bias, integers_of(labels), options, most); });
    }
  };
  head("undefined", {}, zeros({3, 4}), {}, {0, 1});
  head("input width", zeros({2, 4}), zeros({3, 5}), {}, {0, 1});
  head("bias", zeros({2, 4}), zeros({3, 4}), zeros({4}), {0, 1});
  head("label too large", zeros({2, 4}), zeros({3, 4}), {}, {0, 3});
  head("number of labels", zeros({2, 4}), zeros({3, 4}), {}, {0});
  head("smoothing of one", zeros({2, 4}), zeros({3, 4}), {}, {0, 1}, {.label_smoothing = 1});
  head("negative normalizer", zeros({2, 4}), zeros({3, 4}), {}, {0, 1}, {.normalizer = -1});

  expect("linear", "undefined x", [] { linear({}, zeros({3, 4}), {}); });
  expect("linear", "undefined weight", [] { linear(zeros({2, 4}), {}, {}); });
  expect("linear", "rank of x", [] { linear(zeros({4}), zeros({3, 4}), {}); });
  expect("linear", "rank of weight", [] { linear(zeros({2, 4}), zeros({4}), {}); });
  expect("linear", "input width", [] { linear(zeros({2, 4}), zeros({3, 5}), {}); });
  expect("linear", "bias width", [] { linear(zeros({2, 4}), zeros({3, 4}), zeros({4})); });
  expect("linear", "rank of bias", [] { linear(zeros({2, 4}), zeros({3, 4}), zeros({3, 1})); });
  expect("linear", "weight dtype", [] { linear(zeros({2, 4}), zeros({3, 4}, DType::bf16), {}); });
  expect("linear", "f64 beside f32", [] { linear(zeros({2, 4}), zeros({3, 4}, DType::f64), {}); });
  expect("linear", "bias dtype", [] { linear(zeros({2, 4}), zeros({3, 4}), zeros({3}, DType::f16)); });
  expect("linear", "integers", [] { linear(zeros({2, 4}, DType::i8), zeros({3, 4}, DType::i8), {}); });

  expect("layer_norm", "undefined x", [] { layer_norm({}, zeros({3}), zeros({3}), 1e-5); });
  expect("layer_norm", "undefined weight", [] { layer_norm(zeros({2, 3}), {}, zeros({3}), 1e-5); });
  expect("layer_norm", "undefined bias", [] { layer_norm(zeros({2, 3}), zeros({3}), {}, 1e-5); });
  expect("layer_norm", "width of weight", [] { layer_norm(zeros({2, 3}), zeros({4}), zeros({3}), 1e-5); });
  expect("layer_norm", "width of bias", [] { layer_norm(zeros({2, 3}), zeros({3}), zeros({2}), 1e-5); });
  expect("layer_norm", "rank", [] { layer_norm(zeros({3}), zeros({3}), zeros({3}), 1e-5); });
  expect("layer_norm", "dtype of bias", [] {
    layer_norm(zeros({2, 3}, DType::bf16), zeros({3}, DType::bf16), zeros({3}), 1e-5);
  });
  expect("layer_norm", "dtype of weight", [] {
    layer_norm(zeros({2, 3}), zeros({3}, DType::bf16), zeros({3}, DType::bf16), 1e-5);
  });
  const auto fused = [](Shape residual, DType dtype) {
    dropout_add_layer_norm(zeros({2, 3}), zeros(residual, dtype), zeros({3}), zeros({3}), 1e-5, kNone);
  };
  expect("dropout_add_layer_norm", "residual shape", [=] { fused({3, 2}, DType::f32); });
  expect("dropout_add_layer_norm", "residual rank", [=] { fused({6}, DType::f32); });
  expect("dropout_add_layer_norm", "residual dtype", [=] { fused({2, 3}, DType::bf16); });
  expect("dropout_add_layer_norm", "undefined residual", [] {
    dropout_add_layer_norm(zeros({2, 3}), {}, zeros({3}), zeros({3}), 1e-5, kNone);
  });
  expect("dropout_add_layer_norm", "width of weight", [] {
    dropout_add_layer_norm(zeros({2, 3}), zeros({2, 3}), zeros({2}), zeros({2}), 1e-5, kNone);
  });

  const auto quantized = [](const Tensor& x, Shape weight, const Tensor& bias) {
    quantized_linear(x, quantize_weight(zeros(weight)), bias);
  };
  expect("quantized_linear", "undefined x", [=] { quantized({}, {3, 4}, {}); });
  expect("quantized_linear", "undefined weight", [] { quantized_linear(zeros({2, 4}), {}, {}); });
  expect("quantized_linear", "weight that is none", [] { quantize_weight({}); });
  expect("quantized_linear", "rank of x", [=] { quantized(zeros({4}), {3, 4}, {}); });
  expect("quantized_linear", "rank of weight", [=] { quantized(zeros({2, 4}), {4}, {}); });
  expect("quantized_linear", "widths", [=] { quantized(zeros({2, 5}), {3, 4}, {}); });
  expect("quantized_linear", "width of bias", [=] { quantized(zeros({2, 4}), {3, 4}, zeros({4})); });
  expect("quantized_linear", "dtype of bias", [=] { quantized(zeros({2, 4}), {3, 4}, zeros({3}, DType::bf16)); });
  expect("quantized_linear", "integers", [=] { quantized(zeros({2, 4}, DType::i8), {3, 4}, {}); });
  expect("quantized_linear", "integer weight", [] { quantize_weight(zeros({3, 4}, DType::i8)); });
  expect("quantized_linear", "too deep", [=] { quantize_weight(zeros({1, (1 << 17) + 1})); });

  const auto attend = [](Shape qkv, std::vector<int32_t> offsets, int64_t heads) {
    attention(zeros(qkv), integers_of(offsets), heads, kNone);
  };
  const auto grouped = [](int64_t width, int64_t heads, int64_t key_heads) {
    attention(zeros({2, width}), integers_of({0, 2}), heads, kNone, true, key_heads);
  };
  expect("attention", "width of groups", [=] { grouped(6, 4, 2); });
  expect("attention", "groups that do not divide", [=] { grouped(14, 3, 2); });
  expect("attention", "negative key heads", [=] { grouped(6, 1, -1); });
  const auto cached = [](Shape qkv, std::vector<int32_t> offsets, std::vector<int32_t> lengths, Shape keys,
                         Shape values, DType dtype = DType::f32) {
    cached_attention(zeros(qkv), integers_of(offsets), integers_of(lengths), zeros(keys, dtype), zeros(values, dtype),
                     2);
  };
  const Shape room = {1, 1, 3, 4};
  expect("cached_attention", "undefined", [] { cached_attention({}, {}, {}, {}, {}, 1); });
  expect("cached_attention", "width", [=] { cached({1, 12}, {0, 1}, {0}, room, room); });
  expect("cached_attention", "no room", [=] { cached({2, 16}, {0, 2}, {2}, room, room); });
  expect("cached_attention", "negative length", [=] { cached({1, 16}, {0, 1}, {-1}, room, room); });
  expect("cached_attention", "lengths", [=] { cached({1, 16}, {0, 1}, {0, 0}, room, room); });
  expect("cached_attention", "shape of values", [=] { cached({1, 16}, {0, 1}, {0}, room, {1, 1, 2, 4}); });
  expect("cached_attention", "sequences", [=] { cached({1, 16}, {0, 1}, {0}, {2, 1, 3, 4}, {2, 1, 3, 4}); });
  expect("cached_attention", "dtype", [=] { cached({1, 16}, {0, 1}, {0}, room, room, DType::bf16); });
  expect("cached_attention", "offsets", [=] { cached({2, 16}, {0, 1}, {0}, room, room); });
  expect("rms_norm", "undefined x", [] { rms_norm({}, zeros({3}), 1e-5); });
  expect("rms_norm", "undefined weight", [] { rms_norm(zeros({2, 3}), {}, 1e-5); });
  expect("rms_norm", "width", [] { rms_norm(zeros({2, 3}), zeros({4}), 1e-5); });
  expect("rms_norm", "dtype", [] { rms_norm(zeros({2, 3}), zeros({3}, DType::bf16), 1e-5); });
  const auto rotary = [](Shape x, std::vector<int32_t> positions, Shape table, int64_t heads) {
    rotary_embedding(zeros(x), integers_of(positions), zeros(table), heads);
  };
  expect("rotary_embedding", "undefined", [] { rotary_embedding({}, {}, {}, 1); });
  expect("rotary_embedding", "positions", [=] { rotary({2, 8}, {0}, {4, 4}, 2); });
  expect("rotary_embedding", "position behind the table", [=] { rotary({2, 8}, {0, 4}, {4, 4}, 2); });
  expect("rotary_embedding", "negative position", [=] { rotary({2, 8}, {0, -1}, {4, 4}, 2); });
  expect("rotary_embedding", "odd head", [=] { rotary({2, 8}, {0, 1}, {4, 3}, 2); });
  expect("rotary_embedding", "more heads than columns", [=] { rotary({2, 8}, {0, 1}, {4, 4}, 3); });
  expect("rotary_embedding", "dtype of table", [] {
    rotary_embedding(zeros({1, 4}), integers_of({0}), zeros({2, 4}, DType::bf16), 1);
  });
  expect("swiglu", "undefined", [] { swiglu({}); });
  expect("swiglu", "odd width", [] { swiglu(zeros({2, 5})); });
  expect("swiglu", "rank", [] { swiglu(zeros({4})); });
  expect("swiglu", "integers", [] { swiglu(zeros({2, 4}, DType::i32)); });

  expect("attention", "undefined", [] { attention({}, integers_of({0}), 1, kNone); });
  expect("attention", "rank", [=] { attend({6}, {0, 1}, 1); });
  expect("attention", "width", [=] { attend({2, 8}, {0, 2}, 2); });
  expect("attention", "no heads", [=] { attend({2, 6}, {0, 2}, 0); });
  expect("attention", "negative heads", [=] { attend({2, 6}, {0, 2}, -1); });
  expect("attention", "offsets end early", [=] { attend({3, 6}, {0, 2}, 1); });
  expect("attention", "offsets end late", [=] { attend({3, 6}, {0, 4}, 1); });
  expect("attention", "offsets start late", [=] { attend({3, 6}, {1, 3}, 1); });
  expect("attention", "offsets fall", [=] { attend({3, 6}, {0, 2, 1, 3}, 1); });
  expect("attention", "no offsets", [=] { attend({0, 6}, {}, 1); });
  expect("attention", "offsets dtype", [] { attention(zeros({2, 6}), zeros({2}, DType::i64), 1, kNone); });
  expect("attention", "integers", [] { attention(zeros({2, 6}, DType::i32), integers_of({0, 2}), 1, kNone); });

  expect("embedding", "id too large", [] { embedding(zeros({4, 3}), integers_of({0, 4}), DType::f32); });
  expect("embedding", "negative id", [] { embedding(zeros({4, 3}), integers_of({-1}), DType::f32); });
  expect("embedding", "empty table", [] { embedding(zeros({0, 3}), integers_of({0}), DType::f32); });
  expect("embedding", "ids dtype", [] { embedding(zeros({4, 3}), zeros({2}, DType::i64), DType::f32); });
  expect("embedding", "ids rank", [] { embedding(zeros({4, 3}), zeros({2, 1}, DType::i32), DType::f32); });
  expect("embedding", "table rank", [] { embedding(zeros({4}), integers_of({0}), DType::f32); });
  expect("embedding", "integer result", [] { embedding(zeros({4, 3}), integers_of({0}), DType::i32); });
  expect("embedding", "undefined", [] { embedding({}, integers_of({0}), DType::f32); });
  expect("index_select", "row too large", [] { index_select(zeros({4, 3}), integers_of({4})); });
  expect("index_select", "negative row", [] { index_select(zeros({4, 3}), integers_of({-2})); });
  expect("index_select", "undefined", [] { index_select({}, integers_of({0})); });

  expect("segment_mean", "offsets", [] { segment_mean(zeros({3, 2}), integers_of({0, 2})); });
  expect("segment_mean", "rank", [] { segment_mean(zeros({3}), integers_of({0, 3})); });
  expect("segment_mean", "undefined", [] { segment_mean({}, integers_of({0})); });
  expect("normalize", "rank", [] { normalize(zeros({3})); });
  expect("normalize", "integers", [] { normalize(zeros({3, 2}, DType::i32)); });
  expect("normalize", "undefined", [] { normalize({}); });

  const Tensor two = integers_of({0, 2});
  const auto lstm_of = [two](Tensor x, Tensor weight, Tensor bias) { lstm(x, weight, bias, two); };
  expect("lstm", "undefined x", [=] { lstm_of({}, zeros({8, 2}), zeros({8})); });
  expect("lstm", "undefined weight", [=] { lstm_of(zeros({2, 8}), {}, zeros({8})); });
  expect("lstm", "undefined bias", [=] { lstm_of(zeros({2, 8}), zeros({8, 2}), {}); });
  expect("lstm", "width of x", [=] { lstm_of(zeros({2, 6}), zeros({8, 2}), zeros({8})); });
  expect("lstm", "three directions", [=] { lstm_of(zeros({2, 24}), zeros({24, 2}), zeros({24})); });
  expect("lstm", "no units", [=] { lstm_of(zeros({2, 0}), zeros({0, 0}), zeros({0})); });
  expect("lstm", "bias", [=] { lstm_of(zeros({2, 8}), zeros({8, 2}), zeros({4})); });
  expect("lstm", "dtypes", [=] { lstm_of(zeros({2, 8}), zeros({8, 2}, DType::f64), zeros({8})); });
  expect("lstm", "offsets", [] { lstm(zeros({2, 8}), zeros({8, 2}), zeros({8}), integers_of({0, 3})); });
  expect("lstm", "initial.h", [=] { lstm(zeros({2, 8}), zeros({8, 2}), zeros({8}), two, {zeros({2, 2}), {}}); });
  expect("lstm", "initial.c", [=] {
    lstm(zeros({2, 8}), zeros({8, 2}), zeros({8}), two, {{}, zeros({1, 2}, DType::bf16)});
  });
  expect("gru", "initial.c", [=] { gru(zeros({2, 6}), zeros({6, 2}), zeros({6}), two, {{}, zeros({1, 2})}); });
  expect("gru", "rows of weight", [=] { gru(zeros({2, 8}), zeros({8, 2}), zeros({8}), two); });
  expect("rnn", "undefined", [=] { rnn({}, zeros({2, 2}), zeros({2}), two); });
  expect("rnn", "rank", [=] { rnn(zeros({2}), zeros({2, 2}), zeros({2}), two); });

  const auto entropy = [](std::vector<int32_t> labels, CrossEntropyOptions options) {
    cross_entropy(zeros({2, 3}), integers_of(labels), options);
  };
  expect("cross_entropy", "label too large", [=] { entropy({0, 3}, {}); });
  expect("cross_entropy", "negative label", [=] { entropy({0, -1}, {}); });
  expect("cross_entropy", "old ignore index", [=] { entropy({0, -100}, {.ignore_index = -1}); });
  expect("cross_entropy", "number of labels", [=] { entropy({0}, {}); });
  expect("cross_entropy", "smoothing of one", [=] { entropy({0, 1}, {.label_smoothing = 1}); });
  expect("cross_entropy", "negative smoothing", [=] { entropy({0, 1}, {.label_smoothing = -0.1}); });
  expect("cross_entropy", "negative normalizer", [=] { entropy({0, 1}, {.normalizer = -1}); });
  expect("cross_entropy", "NaN normalizer", [=] {
    entropy({0, 1}, {.normalizer = std::numeric_limits<double>::quiet_NaN()});
  });
  expect("cross_entropy", "labels dtype", [] { cross_entropy(zeros({2, 3}), zeros({2}, DType::i64)); });
  expect("cross_entropy", "rank", [] { cross_entropy(zeros({3}), integers_of({0})); });
  expect("cross_entropy", "undefined", [] { cross_entropy({}, integers_of({0})); });

  const auto focal = [](std::vector<int32_t> labels, const Tensor& weights, FocalLossOptions options) {
    focal_loss(zeros({2, 3}), integers_of(labels), weights, options);
  };
  expect("focal_loss", "label too large", [=] { focal({0, 3}, {}, {}); });
  expect("focal_loss", "negative label", [=] { focal({0, -100}, {}, {}); });
  expect("focal_loss", "number of labels", [=] { focal({0}, {}, {}); });
  expect("focal_loss", "number of weights", [=] { focal({0, 1}, zeros({2}), {}); });
  expect("focal_loss", "16-bit weights", [=] { focal({0, 1}, zeros({3}, DType::bf16), {}); });
  expect("focal_loss", "negative gamma", [=] { focal({0, 1}, {}, {.gamma = -1}); });
  expect("focal_loss", "NaN gamma", [=] { focal({0, 1}, {}, {.gamma = std::numeric_limits<double>::quiet_NaN()}); });
  expect("focal_loss", "negative normalizer", [=] { focal({0, 1}, {}, {.normalizer = -1}); });
  expect("focal_loss", "undefined", [] { focal_loss({}, integers_of({0}), {}); });

  const std::pair<const char*, Tensor (*)(const Tensor&, const Tensor&, double)> losses[] = {
      {"l1_loss", &l1_loss},
      {"mse_loss", &mse_loss},
      {"bce_with_logits", &bce_with_logits},
      {"smooth_l1_loss",
       [](const Tensor& x, const Tensor& target, double n) { return smooth_l1_loss(x, target, 0.5, n); }}};
  for (const auto& [op, run] : losses) {
    expect(op, "shapes", [run = run] { run(zeros({2, 3}), zeros({3, 2}), 0); });
    expect(op, "target dtype", [run = run] { run(zeros({2}), zeros({2}, DType::f64), 0); });
    expect(op, "16-bit target", [run = run] { run(zeros({2}, DType::bf16), zeros({2}, DType::bf16), 0); });
    expect(op, "undefined x", [run = run] { run({}, zeros({2}), 0); });
    expect(op, "undefined target", [run = run] { run(zeros({2}), {}, 0); });
    expect(op, "integers", [run = run] { run(zeros({2}, DType::i32), zeros({2}), 0); });
    expect(op, "negative normalizer", [run = run] { run(zeros({2}), zeros({2}), -2); });
  }
  expect("smooth_l1_loss", "beta", [] { smooth_l1_loss(zeros({2}), zeros({2}), 0); });
  for (ErrorCase& each : image_error_cases()) cases.push_back(std::move(each));
  return cases;
}

}  // namespace

const std::vector<ErrorCase>& error_cases() {
  static const std::vector<ErrorCase> cases = make_errors();
  return cases;
}

}  // namespace suanli::testing
