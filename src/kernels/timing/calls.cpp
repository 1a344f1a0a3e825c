#include "kernels/timing/calls.h"

#include "kernels/elementwise.h"
#include "tensor/tensor.h"

namespace suanli::kernels {

namespace {
void* keep(const Tensor& tensor) {
  static std::vector<Tensor> kept;
  kept.push_back(tensor);
  return tensor.data();
}
}  // namespace

void* Calls::values(int64_t count, DType dtype) const {
  std::vector<float> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = 0.01F * static_cast<float>(i * 2654435761U % 201) - 1.0F;
  const Tensor source = Tensor::from(numbers, {count}).to(device_);
  if (dtype == DType::f32) return keep(source);
  const Tensor narrow = Tensor::empty({count}, dtype, device_);
  cast({.x = source.data(), .y = narrow.data(), .count = count, .from = DType::f32, .to = dtype}, stream());
  return keep(narrow);
}

const int32_t* Calls::indices(int64_t count, int64_t bound) const {
  std::vector<int32_t> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int32_t>(i * 2654435761U % static_cast<uint64_t>(bound));
  }
  return static_cast<const int32_t*>(keep(Tensor::from(numbers, {count}).to(device_)));
}

const int32_t* Calls::offsets(int64_t sequences, int64_t length) const {
  std::vector<int32_t> numbers;
  for (int64_t b = 0; b <= sequences; ++b) numbers.push_back(static_cast<int32_t>(b * length));
  return static_cast<const int32_t*>(keep(Tensor::from(numbers, {sequences + 1}).to(device_)));
}

void* Calls::zeros(int64_t bytes) const { return keep(Tensor::zeros({bytes}, DType::u8, device_)); }

std::vector<TimedCall> timed_calls(std::string_view filter, Device device) {
  Calls calls(filter, device);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    time_products(calls, dtype);
    time_quantized(calls, dtype);
    time_attention(calls, dtype, 64, 16, 0.1F);
    time_attention(calls, dtype, 16, 64, 0.1F);
    time_attention(calls, dtype, 16, 64, 0);
    time_attention(calls, dtype, 8, 128, 0.1F);
    time_attention(calls, dtype, 2, 512, 0.1F);
    time_rows(calls, dtype);
    time_images(calls, dtype);
    time_sequences(calls, dtype);
  }
  time_optimizers(calls);
  return std::move(calls.all);
}

}  // namespace suanli::kernels
