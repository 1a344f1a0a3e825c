#include "kernels/cached_attention.h"
#include "kernels/recurrence.h"
#include "kernels/rms_norm.h"
#include "kernels/rotary_embedding.h"
#include "kernels/swiglu.h"
#include "kernels/timing/calls.h"

namespace suanli::kernels {

namespace {

void time_recurrence(Calls& calls, DType t) {
  constexpr int64_t kLive = 32, kWidth = 512;
  for (const auto& [cell, label] : {std::pair{Cell::lstm, "lstm_512"}, std::pair{Cell::gru, "gru_512"}}) {
    const int64_t gates = gate_count(cell) * kWidth, kept_width = kept_count(cell) * kWidth;
    void *x = calls.values(kLive * gates, t), *hidden = calls.values(kLive * gates, DType::f32);
    void *h = calls.values(kLive * kWidth, t), *c = calls.values(kLive * kWidth, DType::f32);
    void *y = calls.values(kLive * kWidth, t), *kept = calls.values(kLive * kept_width, t);
    void *h_before = calls.values(kLive * kWidth, t), *c_before = calls.values(kLive * kWidth, DType::f32);
    const int32_t* tokens = calls.offsets(kLive - 1, 1);
    calls.add(recurrent_forward, label, t,
              {.x = x,
               .tokens = tokens,
               .hidden = hidden,
               .h = h,
               .c = c,
               .y = y,
               .kept = kept,
               .h_before = h_before,
               .c_before = c_before,
               .live = kLive,
               .width = kWidth,
               .x_stride = gates,
               .y_stride = kWidth,
               .cell = cell,
               .dtype = t});
    calls.add(recurrent_backward, label, t,
              {.dy = y,
               .tokens = tokens,
               .kept = kept,
               .h_before = h_before,
               .c_before = c_before,
               .dh = calls.values(kLive * kWidth, DType::f32),
               .dc = calls.values(kLive * kWidth, DType::f32),
               .dx = calls.values(kLive * gates, t),
               .dhidden = calls.values(kLive * gates, t),
               .live = kLive,
               .width = kWidth,
               .dx_stride = gates,
               .dy_stride = kWidth,
               .cell = cell,
               .dtype = t});
  }
}

}  // namespace

void time_sequences(Calls& calls, DType t) {
  constexpr int64_t kHeadSize = kHidden / kHeads, kCached = 512;
  const int64_t T = kTokens, H = kHidden, F = kInner;
  void *x = calls.values(2 * T * F, t), *y = calls.values(2 * T * F, t), *weight = calls.values(H, DType::f32);
  void* rstd = calls.values(T, DType::f32);
  calls.add(rms_norm_forward, "hidden", t,
            {.x = x,
             .weight = weight,
             .y = y,
             .rstd = rstd,
             .rows = T,
             .width = H,
             .eps = 1e-5,
             .dtype = t,
             .weight_dtype = DType::f32});
  calls.add(rms_norm_backward, "hidden", t,
            {.dy = y,
             .x = x,
             .weight = weight,
             .rstd = rstd,
             .dx = y,
             .dweight = calls.values(H, DType::f32),
             .rows = T,
             .width = H,
             .dtype = t,
             .weight_dtype = DType::f32});
  calls.add(swiglu_forward, "inner", t, {.x = x, .y = y, .rows = T, .width = F, .dtype = t});
  calls.add(swiglu_backward, "inner", t, {.dy = y, .x = x, .dx = x, .rows = T, .width = F, .dtype = t});
  calls.add(rotary_embedding, "qkv", t,
            {.x = x,
             .table = calls.values(T * kHeadSize, DType::f32),
             .positions = calls.offsets(T - 1, 1),
             .y = y,
             .tokens = T,
             .width = 3 * H,
             .heads = 2 * kHeads,
             .head_size = kHeadSize,
             .inverse = false,
             .dtype = t});
  for (const int64_t sequences : {1, 8}) {
    const int64_t places = sequences * kHeads * kCached * kHeadSize;
    const KeyValueCache cache = {.keys = calls.values(places, t),
                                 .values = calls.values(places, t),
                                 .offsets = calls.offsets(sequences, 1),
                                 .lengths = calls.offsets(sequences, kCached / 2 / sequences) + 1,
                                 .tokens = sequences,
                                 .sequences = sequences,
                                 .longest = 1,
                                 .capacity = kCached,
                                 .key_heads = kHeads,
                                 .head_size = kHeadSize};
    const std::string label = concat(sequences, "_sequences");
    calls.add(cache_append, label, t, {.k = x, .v = y, .cache = cache, .stride = H, .dtype = t});
    calls.add(cached_attention, label, t,
              {.q = x,
               .cache = cache,
               .out = calls.values(sequences * H, t),
               .heads = kHeads,
               .stride = H,
               .scale = 0.1,
               .dtype = t});
  }
  time_recurrence(calls, t);
}

}  // namespace suanli::kernels
