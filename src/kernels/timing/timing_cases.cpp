#include <string>
#include <vector>

#include "base/concat.h"
#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/layer_norm.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/timing/timing.h"
#include "tensor/tensor.h"

namespace suanli::kernels {
namespace {

constexpr int64_t kTokens = 1024, kHidden = 384, kInner = 1536, kHeads = 12, kVocabulary = 30522;

/// Counts of one call, for the rates.
struct Work {
  double flops = 0, bytes = 0;
};

/// The calls that match a filter.
class Calls {
 public:
  explicit Calls(std::string_view filter) : filter_(filter) {}

  /// One call for every implementation that can run but the reference.
  template <class Args>
  void add(const Kernel<Args>& kernel, const std::string& label, DType dtype, const Args& args, Work work) {
    for (const Implementation<Args>& implementation : kernel.implementations()) {
      const bool runs = implementation.device == DeviceType::cpu && implementation.can_run(args, machine()) == nullptr;
      if (!runs || std::string(implementation.name) == "ref") continue;
      const KernelTiming timing = {.kernel = kernel.name(),
                                   .label = label,
                                   .dtype = name_of(dtype),
                                   .implementation = implementation.name,
                                   .flops = work.flops,
                                   .bytes = work.bytes};
      const std::string name = concat(timing.kernel, "/", label, "/", timing.dtype, "/", timing.implementation);
      if (name.find(filter_) == std::string::npos) continue;
      all.push_back({timing, [args, run = implementation.run] {
                       Stream stream;
                       run(args, stream);
                     }});
    }
  }

  std::vector<TimedCall> all;

 private:
  std::string_view filter_;
};

/// A tensor of small numbers, kept for the life of the program.
void* values(int64_t count, DType dtype) {
  static std::vector<Tensor> kept;
  std::vector<float> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = 0.01F * static_cast<float>(i * 2654435761U % 201) - 1.0F;
  kept.push_back(Tensor::from(numbers, {count}));
  if (dtype != DType::f32) {
    const Tensor source = kept.back();
    kept.push_back(Tensor::empty({count}, dtype));
    Stream stream;
    cast({.x = source.data(), .y = kept.back().data(), .count = count, .from = DType::f32, .to = dtype}, stream);
  }
  return kept.back().data();
}

/// Indices 0..bound-1 in scattered order.
const int32_t* indices(int64_t count, int64_t bound) {
  static std::vector<Tensor> kept;
  std::vector<int32_t> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int32_t>(i * 2654435761U % static_cast<uint64_t>(bound));
  }
  kept.push_back(Tensor::from(numbers, {count}));
  return kept.back().host<int32_t>().data();
}

/// Sequences of `length` tokens each.
const int32_t* offsets(int64_t sequences, int64_t length) {
  static std::vector<Tensor> kept;
  std::vector<int32_t> numbers;
  for (int64_t b = 0; b <= sequences; ++b) numbers.push_back(static_cast<int32_t>(b * length));
  kept.push_back(Tensor::from(numbers, {sequences + 1}));
  return kept.back().host<int32_t>().data();
}

void add_products(Calls& calls, DType t) {
  struct Shape {
    const char* label;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
  };
  const int64_t T = kTokens, H = kHidden, F = kInner;
  for (const Shape& s : std::vector<Shape>{{"qkv", T, 3 * H, H, false, true},
                                           {"attention_out", T, H, H, false, true},
                                           {"up", T, F, H, false, true},
                                           {"down", T, H, F, false, true},
                                           {"dx_up", T, H, F, false, false},
                                           {"dx_down", T, F, H, false, false},
                                           {"dw_qkv", 3 * H, H, T, true, false},
                                           {"dw_up", F, H, T, true, false},
                                           {"dw_down", H, F, T, true, false},
                                           {"sentence_16_up", 16, F, H, false, true},
                                           {"sentence_16_down", 16, H, F, false, true},
                                           {"sentence_128_up", 128, F, H, false, true},
                                           {"sentence_128_down", 128, H, F, false, true}}) {
    const Matmul args = {.a = values(s.m * s.k, t),
                         .b = values(s.k * s.n, t),
                         .bias = s.transpose_b ? values(s.n, DType::f32) : nullptr,
                         .c = values(s.m * s.n, s.transpose_a ? DType::f32 : t),
                         .m = s.m,
                         .n = s.n,
                         .k = s.k,
                         .transpose_a = s.transpose_a,
                         .transpose_b = s.transpose_b,
                         .accumulate = false,
                         .dtype = t,
                         .c_dtype = s.transpose_a ? DType::f32 : t,
                         .bias_dtype = DType::f32};
    const Work work = {.flops = 2.0 * static_cast<double>(s.m * s.n * s.k)};
    calls.add(matmul, s.label, t, args, work);
    if (!s.transpose_b) continue;
    static std::vector<std::unique_ptr<DerivedForms>> kept;  // the weights of a model that serves
    kept.push_back(std::make_unique<DerivedForms>());
    Matmul constant = args;
    constant.b_forms = kept.back().get();
    calls.add(matmul, std::string(s.label) + "_constant", t, constant, work);
  }
}

void add_attention(Calls& calls, DType t, int64_t sequences, int64_t length, float probability) {
  const int64_t tokens = sequences * length, stride = 3 * kHidden, head = kHidden / kHeads;
  std::byte* qkv = static_cast<std::byte*>(values(tokens * stride, t));
  std::byte* dqkv = static_cast<std::byte*>(values(tokens * stride, t));
  const int64_t third = kHidden * size_of(t);
  void* out = values(tokens * kHidden, t);
  void* lse = values(tokens * kHeads, DType::f32);
  const DropoutKey dropout = {.probability = probability, .random = {.seed = 1, .step = 2, .site = 3}};
  const int32_t* starts = offsets(sequences, length);
  const std::string label =
      std::to_string(sequences) + "x" + std::to_string(length) + (probability > 0 ? "_dropout" : "");
  const double product = 2.0 * static_cast<double>(tokens * length * kHidden);
  calls.add(attention_forward, label, t,
            {.q = qkv,
             .k = qkv + third,
             .v = qkv + 2 * third,
             .offsets = starts,
             .out = out,
             .lse = lse,
             .tokens = tokens,
             .sequences = sequences,
             .longest = length,
             .heads = kHeads,
             .head_size = head,
             .stride = stride,
             .scale = 0.1768,
             .dropout = dropout,
             .dtype = t},
            {.flops = 2 * product});
  calls.add(attention_backward, label, t,
            {.dout = values(tokens * kHidden, t),
             .out = out,
             .lse = lse,
             .q = qkv,
             .k = qkv + third,
             .v = qkv + 2 * third,
             .offsets = starts,
             .dq = dqkv,
             .dk = dqkv + third,
             .dv = dqkv + 2 * third,
             .tokens = tokens,
             .sequences = sequences,
             .longest = length,
             .heads = kHeads,
             .head_size = head,
             .stride = stride,
             .scale = 0.1768,
             .dropout = dropout,
             .dtype = t},
            {.flops = 5 * product});
}

void add_element_wise(Calls& calls, DType t) {
  const int64_t T = kTokens, H = kHidden, inner = kTokens * kInner;
  const double size = static_cast<double>(size_of(t)), hidden_bytes = size * static_cast<double>(T * H);
  const double inner_bytes = size * static_cast<double>(inner);
  void *x = values(inner, t), *y = values(inner, t), *z = values(inner, t);
  void *w = values(kInner, DType::f32), *b = values(kInner, DType::f32), *s = values(T, DType::f32);
  void* r = values(T, DType::f32);
  const DropoutKey key = {.probability = 0.1F, .random = {.seed = 1, .step = 2, .site = 3}};
  for (const auto& [kind, label] : std::vector<std::pair<Activation, const char*>>{
           {Activation::gelu, "gelu"}, {Activation::gelu_tanh, "gelu_tanh"}, {Activation::tanh, "tanh"}}) {
    calls.add(activation_forward, label, t, {.x = x, .y = y, .count = inner, .kind = kind, .dtype = t},
              {.bytes = 2 * inner_bytes});
    calls.add(activation_backward, label, t, {.dy = z, .x = x, .dx = y, .count = inner, .kind = kind, .dtype = t},
              {.bytes = 3 * inner_bytes});
  }
  calls.add(dropout, "hidden", t, {.x = x, .y = y, .count = T * H, .dropout = key, .dtype = t},
            {.bytes = 2 * hidden_bytes});
  calls.add(binary, "add", t, {.a = x, .b = z, .y = y, .count = T * H, .kind = Binary::add, .dtype = t},
            {.bytes = 3 * hidden_bytes});
  calls.add(column_sum, "inner", t, {.x = x, .y = w, .rows = T, .width = kInner, .dtype = t}, {.bytes = inner_bytes});
  calls.add(layer_norm_forward, "dropout_residual", t,
            {.x = x,
             .residual = z,
             .weight = w,
             .bias = b,
             .y = y,
             .sum = values(T * H, t),
             .mean = s,
             .rstd = r,
             .rows = T,
             .width = H,
             .eps = 1e-12,
             .dropout = key,
             .dtype = t,
             .weight_dtype = DType::f32},
            {.bytes = 4 * hidden_bytes});
  calls.add(layer_norm_backward, "dropout_residual", t,
            {.dy = z,
             .sum = x,
             .weight = w,
             .mean = s,
             .rstd = r,
             .dx = y,
             .dresidual = values(T * H, t),
             .dweight = b,
             .dbias = values(H, DType::f32),
             .rows = T,
             .width = H,
             .dropout = key,
             .dtype = t,
             .weight_dtype = DType::f32},
            {.bytes = 4 * hidden_bytes});
  const int32_t *starts = offsets(T / 32, 32), *ids = indices(T, kVocabulary);
  calls.add(segment_mean_forward, "32_tokens", t,
            {.x = x, .offsets = starts, .y = y, .sequences = T / 32, .width = H, .dtype = t}, {.bytes = hidden_bytes});
  void* table = values(kVocabulary * H, DType::f32);
  calls.add(embedding_forward, "words", t,
            {.table = table,
             .ids = ids,
             .y = y,
             .rows = T,
             .vocab = kVocabulary,
             .width = H,
             .table_dtype = DType::f32,
             .dtype = t},
            {.bytes = hidden_bytes + 4.0 * static_cast<double>(T * H)});
  calls.add(embedding_backward, "words", t,
            {.dy = x,
             .ids = ids,
             .dtable = table,
             .rows = T,
             .vocab = kVocabulary,
             .width = H,
             .table_dtype = DType::f32,
             .dtype = t},
            {.bytes = hidden_bytes + 4.0 * static_cast<double>(kVocabulary * H)});
  const int64_t masked = T / 8;
  void* logits = values(masked * kVocabulary, t);
  const double logit_bytes = size * static_cast<double>(masked * kVocabulary);
  const int32_t* labels = indices(masked, kVocabulary);
  calls.add(cross_entropy_forward, "masked_words", t,
            {.logits = logits,
             .labels = labels,
             .lse = s,
             .loss = r,
             .rows = masked,
             .vocab = kVocabulary,
             .ignore = -100,
             .smoothing = 0,
             .scale = 1,
             .dtype = t},
            {.bytes = logit_bytes});
  calls.add(cross_entropy_backward, "masked_words", t,
            {.logits = logits,
             .lse = s,
             .dloss = r,
             .labels = labels,
             .dlogits = values(masked * kVocabulary, t),
             .rows = masked,
             .vocab = kVocabulary,
             .ignore = -100,
             .smoothing = 0,
             .scale = 1,
             .dtype = t},
            {.bytes = 2 * logit_bytes});
}

void add_optimizers(Calls& calls) {
  const int64_t count = kVocabulary * kHidden;
  void *w = values(count, DType::f32), *m = values(count, DType::f32);
  static const Tensor squares = Tensor::zeros({count}, DType::f32);  // a second moment is never negative
  const double bytes = 4.0 * static_cast<double>(count);
  const void* g = values(count, DType::f32);
  static double norm = 0;
  calls.add(adamw_step, "word_table", DType::f32,
            {.weight = w,
             .first_moment = m,
             .second_moment = squares.data(),
             .gradient = g,
             .count = count,
             .step = 10,
             .learning_rate = 1e-9,
             .beta1 = 0.9,
             .beta2 = 0.999,
             .eps = 1e-8,
             .weight_decay = 0.01,
             .gradient_scale = 1,
             .dtype = DType::f32},
            {.bytes = 7 * bytes});
  calls.add(sum_of_squares, "word_table", DType::f32, {.x = g, .result = &norm, .count = count, .dtype = DType::f32},
            {.bytes = bytes});
}

}  // namespace

std::vector<TimedCall> timed_calls(std::string_view filter) {
  Calls calls(filter);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    add_products(calls, dtype);
    add_attention(calls, dtype, 64, 16, 0.1F);
    add_attention(calls, dtype, 16, 64, 0.1F);
    add_attention(calls, dtype, 16, 64, 0);
    add_attention(calls, dtype, 8, 128, 0.1F);
    add_attention(calls, dtype, 2, 512, 0.1F);
    add_element_wise(calls, dtype);
  }
  add_optimizers(calls);
  return std::move(calls.all);
}

}  // namespace suanli::kernels
