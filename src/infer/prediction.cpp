#include "infer/prediction.h"

#include "base/error.h"
#include "nn/precision.h"
#include "ops/cast.h"
#include "ops/initialize.h"

namespace suanli::infer {

size_t bytes_of(const Prepared& prepared) {
  return prepared.image.values.size() + prepared.example.features.size() * sizeof(float) +
         prepared.example.categories.size() * sizeof(int32_t);
}

LoadedNetwork load_network(const std::string& folder, models::Head head, const std::string& device,
                           const std::string& precision) {
  initialize();
  LoadedNetwork loaded;
  loaded.device = device_named(device);
  const auto [dtype, int8] = nn::inference_precision_named(precision, loaded.device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of this kind, got int8");
  // Pictures keep their weights in f32 beside activations of `dtype`.
  const DType matrix = head == models::Head::none ? dtype : DType::f32;
  loaded.model = models::load_model(folder, {.head = head, .matrix_dtype = matrix, .device = loaded.device});
  if (!loaded.model.initialized.empty()) {
    throw UserError(folder,
                    "expected a trained model, missing " + loaded.model.initialized.front() + "; train it first");
  }
  loaded.mode = {.training = false, .dtype = dtype};
  return loaded;
}

Tensor constant_of(std::span<const float> values, const Shape& shape) {
  Tensor tensor = Tensor::from(values, {static_cast<int64_t>(values.size())});
  tensor.make_constant();
  return tensor.reshape(shape);
}

std::vector<float> values_on_host(const Tensor& tensor) {
  const Tensor f32 = ops::cast(tensor, DType::f32).to(Device{});
  const auto values = f32.host<float>();
  return {values.begin(), values.end()};
}

}  // namespace suanli::infer
