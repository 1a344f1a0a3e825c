#include "kernels/quantized_matmul.h"
#include "kernels/timing/calls.h"

namespace suanli::kernels {

namespace {

/// Numbers of `values` quantised, and their scales, kept for the life of the program.
struct Quantized {
  const int8_t* values;
  const float* scale;
};

Quantized quantized(const Calls& calls, int64_t rows, int64_t width) {
  auto* values = static_cast<int8_t*>(calls.zeros(rows * width));
  auto* scale = static_cast<float*>(calls.values(rows, DType::f32));
  quantize_rows({calls.values(rows * width, DType::f32), values, scale, rows, width, DType::f32}, calls.stream());
  return {values, scale};
}

const int8_t* packed(const Calls& calls, const int8_t* b, int64_t n, int64_t k) {
  auto* out = static_cast<int8_t*>(calls.zeros(QuantizedLayout{n, k}.bytes()));
  pack_quantized({b, out, n, k}, calls.stream());
  return out;
}

}  // namespace

void time_quantized(Calls& calls, DType t) {
  struct Shape {
    const char* label;
    int64_t m, n, k;
    std::optional<Activation> activation = {};
  };
  const int64_t T = kTokens, H = kHidden, F = kInner;
  for (const Shape& s : std::vector<Shape>{{"qkv", T, 3 * H, H},
                                           {"up", T, F, H},
                                           {"up_gelu", T, F, H, Activation::gelu},
                                           {"down", T, H, F},
                                           {"sentence_16_up", 16, F, H},
                                           {"sentence_16_down", 16, H, F},
                                           {"sentence_128_up", 128, F, H},
                                           {"sentence_128_down", 128, H, F}}) {
    const Quantized a = quantized(calls, s.m, s.k), b = quantized(calls, s.n, s.k);
    const std::string label = std::string(s.label) + (t == DType::bf16 ? "_to_bf16" : "_to_f32");
    calls.add(quantized_matmul, label, DType::i8,
              {.a = a.values,
               .a_scale = a.scale,
               .b = packed(calls, b.values, s.n, s.k),
               .b_scale = b.scale,
               .bias = calls.values(s.n, DType::f32),
               .c = calls.values(s.m * s.n, t),
               .m = s.m,
               .n = s.n,
               .k = s.k,
               .activation = s.activation,
               .dtype = t,
               .bias_dtype = DType::f32});
  }
  for (const auto& [label, width] : std::vector<std::pair<const char*, int64_t>>{{"hidden", H}, {"inner", F}}) {
    calls.add(quantize_rows, label, t,
              {calls.values(T * width, t), static_cast<int8_t*>(calls.zeros(T * width)),
               static_cast<float*>(calls.values(T, DType::f32)), T, width, t});
  }
}

}  // namespace suanli::kernels
