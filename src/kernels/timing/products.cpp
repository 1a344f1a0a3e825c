#include <memory>

#include "kernels/attention.h"
#include "kernels/matmul.h"
#include "kernels/timing/calls.h"

namespace suanli::kernels {

void time_products(Calls& calls, DType t) {
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
    const Matmul args = {.a = calls.values(s.m * s.k, t),
                         .b = calls.values(s.k * s.n, t),
                         .bias = s.transpose_b ? calls.values(s.n, DType::f32) : nullptr,
                         .c = calls.values(s.m * s.n, s.transpose_a ? DType::f32 : t),
                         .m = s.m,
                         .n = s.n,
                         .k = s.k,
                         .transpose_a = s.transpose_a,
                         .transpose_b = s.transpose_b,
                         .accumulate = false,
                         .dtype = t,
                         .c_dtype = s.transpose_a ? DType::f32 : t,
                         .bias_dtype = DType::f32};
    calls.add(matmul, s.label, t, args);
    if (std::string_view(s.label) == "up") {
      Matmul fused = args;
      fused.epilogue.activation = Activation::gelu;
      calls.add(matmul, "up_gelu", t, fused);
      fused.epilogue.slope = calls.values(s.m * s.n, t);
      calls.add(matmul, "up_gelu_slope", t, fused);
    }
    if (!s.transpose_b) continue;
    static std::vector<std::unique_ptr<DerivedForms>> kept;  // the weights of a model that serves
    kept.push_back(std::make_unique<DerivedForms>());
    Matmul constant = args;
    constant.b_forms = kept.back().get();
    calls.add(matmul, std::string(s.label) + "_constant", t, constant);
  }
}

void time_attention(Calls& calls, DType t, int64_t sequences, int64_t length, float probability) {
  const int64_t tokens = sequences * length, stride = 3 * kHidden, head = kHidden / kHeads;
  std::byte* qkv = static_cast<std::byte*>(calls.values(tokens * stride, t));
  std::byte* dqkv = static_cast<std::byte*>(calls.values(tokens * stride, t));
  const int64_t third = kHidden * size_of(t);
  void* out = calls.values(tokens * kHidden, t);
  void* lse = calls.values(tokens * kHeads, DType::f32);
  const DropoutKey dropout = {.probability = probability, .random = {.seed = 1, .step = 2, .site = 3}};
  const int32_t* starts = calls.offsets(sequences, length);
  const std::string label =
      std::to_string(sequences) + "x" + std::to_string(length) + (probability > 0 ? "_dropout" : "");
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
             .dtype = t,
             .pairs = static_cast<double>(sequences * length * length)});
  calls.add(attention_backward, label, t,
            {.dout = calls.values(tokens * kHidden, t),
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
             .dtype = t,
             .pairs = static_cast<double>(sequences * length * length)});
}

}  // namespace suanli::kernels
