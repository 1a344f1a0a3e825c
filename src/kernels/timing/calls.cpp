#include "kernels/timing/calls.h"

#include "kernels/elementwise.h"
#include "tensor/tensor.h"

namespace suanli::kernels {

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

const int32_t* indices(int64_t count, int64_t bound) {
  static std::vector<Tensor> kept;
  std::vector<int32_t> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int32_t>(i * 2654435761U % static_cast<uint64_t>(bound));
  }
  kept.push_back(Tensor::from(numbers, {count}));
  return kept.back().host<int32_t>().data();
}

const int32_t* offsets(int64_t sequences, int64_t length) {
  static std::vector<Tensor> kept;
  std::vector<int32_t> numbers;
  for (int64_t b = 0; b <= sequences; ++b) numbers.push_back(static_cast<int32_t>(b * length));
  kept.push_back(Tensor::from(numbers, {sequences + 1}));
  return kept.back().host<int32_t>().data();
}

std::vector<TimedCall> timed_calls(std::string_view filter) {
  Calls calls(filter);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    time_products(calls, dtype);
    time_quantized(calls, dtype);
    time_attention(calls, dtype, 64, 16, 0.1F);
    time_attention(calls, dtype, 16, 64, 0.1F);
    time_attention(calls, dtype, 16, 64, 0);
    time_attention(calls, dtype, 8, 128, 0.1F);
    time_attention(calls, dtype, 2, 512, 0.1F);
    time_rows(calls, dtype);
  }
  time_optimizers(calls);
  return std::move(calls.all);
}

}  // namespace suanli::kernels
