#include <deque>

#include "kernels/activation.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/layer_norm.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/timing/calls.h"

namespace suanli::kernels {

void time_rows(Calls& calls, DType t) {
  const int64_t T = kTokens, H = kHidden, inner = kTokens * kInner;
  void *x = calls.values(inner, t), *y = calls.values(inner, t), *z = calls.values(inner, t);
  void *w = calls.values(kInner, DType::f32), *b = calls.values(kInner, DType::f32), *s = calls.values(T, DType::f32);
  void* r = calls.values(T, DType::f32);
  const DropoutKey key = {.probability = 0.1F, .random = {.seed = 1, .step = 2, .site = 3}};
  for (const auto& [kind, label] : std::vector<std::pair<Activation, const char*>>{
           {Activation::gelu, "gelu"}, {Activation::gelu_tanh, "gelu_tanh"}, {Activation::tanh, "tanh"}}) {
    calls.add(activation_forward, label, t, {.x = x, .y = y, .count = inner, .kind = kind, .dtype = t});
    calls.add(activation_backward, label, t, {.dy = z, .x = x, .dx = y, .count = inner, .kind = kind, .dtype = t});
  }
  calls.add(dropout, "hidden", t, {.x = x, .y = y, .count = T * H, .dropout = key, .dtype = t});
  calls.add(binary, "add", t, {.a = x, .b = z, .y = y, .count = T * H, .kind = Binary::add, .dtype = t});
  calls.add(column_sum, "inner", t, {.x = x, .y = w, .rows = T, .width = kInner, .dtype = t});
  calls.add(layer_norm_forward, "dropout_residual", t,
            {.x = x,
             .residual = z,
             .weight = w,
             .bias = b,
             .y = y,
             .sum = calls.values(T * H, t),
             .mean = s,
             .rstd = r,
             .rows = T,
             .width = H,
             .eps = 1e-12,
             .dropout = key,
             .dtype = t,
             .weight_dtype = DType::f32});
  calls.add(layer_norm_backward, "dropout_residual", t,
            {.dy = z,
             .sum = x,
             .weight = w,
             .mean = s,
             .rstd = r,
             .dx = y,
             .dresidual = calls.values(T * H, t),
             .dweight = b,
             .dbias = calls.values(H, DType::f32),
             .rows = T,
             .width = H,
             .dropout = key,
             .dtype = t,
             .weight_dtype = DType::f32});
  const int32_t *starts = calls.offsets(T / 32, 32), *ids = calls.indices(T, kVocabulary);
  calls.add(segment_mean_forward, "32_tokens", t,
            {.x = x, .offsets = starts, .y = y, .sequences = T / 32, .width = H, .dtype = t, .tokens = T});
  void* table = calls.values(kVocabulary * H, DType::f32);
  calls.add(embedding_forward, "words", t,
            {.table = table,
             .ids = ids,
             .y = y,
             .rows = T,
             .vocab = kVocabulary,
             .width = H,
             .table_dtype = DType::f32,
             .dtype = t});
  calls.add(embedding_backward, "words", t,
            {.dy = x,
             .ids = ids,
             .dtable = table,
             .rows = T,
             .vocab = kVocabulary,
             .width = H,
             .table_dtype = DType::f32,
             .dtype = t});
  const int64_t masked = T / 8;
  void* logits = calls.values(masked * kVocabulary, t);
  const int32_t* labels = calls.indices(masked, kVocabulary);
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
             .dtype = t});
  calls.add(cross_entropy_backward, "masked_words", t,
            {.logits = logits,
             .lse = s,
             .dloss = r,
             .labels = labels,
             .dlogits = calls.values(masked * kVocabulary, t),
             .rows = masked,
             .vocab = kVocabulary,
             .ignore = -100,
             .smoothing = 0,
             .scale = 1,
             .dtype = t});
}

void time_optimizers(Calls& calls) {
  static std::deque<ArrayView> gradients;  // lists outlive the calls
  static std::deque<AdamwTensor> tensors;
  const int64_t count = kVocabulary * kHidden;
  gradients.push_back({calls.values(count, DType::f32), count, DType::f32});
  const ArrayView& gradient = gradients.back();
  const AdamwTensor& word_table = tensors.emplace_back(AdamwTensor{
      .weight = calls.values(count, DType::f32),
      .first_moment = calls.values(count, DType::f32),
      .second_moment = calls.zeros(count * size_of(DType::f32)),
      .gradient = gradient.data,
      .count = count,
      .weight_decay = 0.01,
      .dtype = DType::f32,
      .site = 0,
  });
  const StepScalars now = {.unscale = 1, .learning_rate = 1e-9, .rate = 1e-9, .correction = 0.1, .step = 10};
  auto* scalars = static_cast<StepScalars*>(calls.zeros(sizeof now));
  const Device device = calls.stream().device;
  backend(device).copy(scalars, device, &now, {}, sizeof now, calls.stream());
  calls.add(adamw_step, "word_table", DType::f32,
            {.tensors = {&word_table, 1},
             .scalars = scalars,
             .factor = &scalars->unscale,
             .beta1 = 0.9,
             .beta2 = 0.999,
             .eps = 1e-8,
             .seed = 0,
             .dtype = DType::f32});
  calls.add(sums_of_squares, "word_table", DType::f32,
            {.arrays = {&gradient, 1}, .sums = static_cast<double*>(calls.zeros(size_of(DType::f64)))});
}

}  // namespace suanli::kernels
