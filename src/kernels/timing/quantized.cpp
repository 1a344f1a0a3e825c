#include "kernels/quantized_matmul.h"
#include "kernels/timing/calls.h"
#include "tensor/tensor.h"

namespace suanli::kernels {

namespace {

/// Numbers of `values` quantised, and their scales, kept for the life of the program.
struct Quantized {
  const int8_t* values;
  const float* scale;
};

Quantized quantized(int64_t rows, int64_t width) {
  static std::vector<Tensor> kept;
  const Tensor bytes = Tensor::empty({rows * width}, DType::i8), scales = Tensor::empty({rows}, DType::f32);
  Stream stream;
  quantize_rows({values(rows * width, DType::f32), static_cast<int8_t*>(bytes.data()),
                 static_cast<float*>(scales.data()), rows, width, DType::f32},
                stream);
  kept.insert(kept.end(), {bytes, scales});
  return {bytes.host<int8_t>().data(), scales.host<float>().data()};
}

const int8_t* packed(const int8_t* b, int64_t n, int64_t k) {
  static std::vector<Tensor> kept;
  kept.push_back(Tensor::empty({QuantizedLayout{n, k}.bytes()}, DType::i8));
  Stream stream;
  pack_quantized({b, static_cast<int8_t*>(kept.back().data()), n, k}, stream);
  return kept.back().host<int8_t>().data();
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
    const Quantized a = quantized(s.m, s.k), b = quantized(s.n, s.k);
    const std::string label = std::string(s.label) + (t == DType::bf16 ? "_to_bf16" : "_to_f32");
    calls.add(quantized_matmul, label, DType::i8,
              {.a = a.values,
               .a_scale = a.scale,
               .b = packed(b.values, s.n, s.k),
               .b_scale = b.scale,
               .bias = values(s.n, DType::f32),
               .c = values(s.m * s.n, t),
               .m = s.m,
               .n = s.n,
               .k = s.k,
               .activation = s.activation,
               .dtype = t,
               .bias_dtype = DType::f32});
  }
  for (const auto& [label, width] : std::vector<std::pair<const char*, int64_t>>{{"hidden", H}, {"inner", F}}) {
    static std::vector<Tensor> kept;
    const Tensor bytes = Tensor::empty({T * width}, DType::i8), scales = Tensor::empty({T}, DType::f32);
    kept.insert(kept.end(), {bytes, scales});
    calls.add(
        quantize_rows, label, t,
        {values(T * width, t), static_cast<int8_t*>(bytes.data()), static_cast<float*>(scales.data()), T, width, t});
  }
}

}  // namespace suanli::kernels
