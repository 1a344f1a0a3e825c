#include "models/axes.h"

#include <vector>

#include "base/error.h"

namespace suanli::models {

Tensor permuted(const Tensor& tensor, std::span<const int> axes) {
  const int rank = tensor.shape().rank();
  SUANLI_ASSERT(static_cast<int>(axes.size()) == rank && tensor.device() == Device{});
  std::vector<int64_t> strides(axes.size(), 1), sizes, steps;
  for (int i = rank - 2; i >= 0; --i)
    strides[static_cast<size_t>(i)] = strides[static_cast<size_t>(i) + 1] * tensor.dim(i + 1);
  for (const int axis : axes) {
    sizes.push_back(tensor.dim(axis));
    steps.push_back(strides[static_cast<size_t>(axis)]);
  }
  Tensor out = Tensor::empty(Shape(sizes), DType::f32);
  const auto from = tensor.host<float>();
  std::vector<int64_t> place(axes.size(), 0);
  int64_t source = 0;
  for (float& value : out.host<float>()) {
    value = from[static_cast<size_t>(source)];
    for (size_t i = axes.size(); i-- > 0;) {  // the next place, as an odometer counts
      source += steps[i];
      if (++place[i] < sizes[i]) break;
      source -= sizes[i] * steps[i];
      place[i] = 0;
    }
  }
  return out;
}

std::vector<int> inverse(std::span<const int> axes) {
  std::vector<int> out(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) out[static_cast<size_t>(axes[i])] = static_cast<int>(i);
  return out;
}

}  // namespace suanli::models
