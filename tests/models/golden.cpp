#include "models/golden.h"

#include <cmath>
#include <numeric>

#include "ops/cast.h"

namespace suanli::models {

PackedSequences golden_batch(const SafetensorsFile& golden, const std::string& prefix, int64_t first, int64_t last) {
  const auto all = golden.tensor(prefix + "offsets").clone();
  const auto bounds = all.host<int32_t>();
  const int32_t begin = bounds[static_cast<size_t>(first)], end = bounds[static_cast<size_t>(last)];
  std::vector<int32_t> offsets, positions;
  for (int64_t b = first; b <= last; ++b) offsets.push_back(bounds[static_cast<size_t>(b)] - begin);
  for (size_t b = 1; b < offsets.size(); ++b) {
    for (int32_t place = 0; place < offsets[b] - offsets[b - 1]; ++place) positions.push_back(place);
  }
  const Tensor ids = golden.tensor(prefix + "ids").rows(begin, end);
  Tensor types = Tensor::zeros(ids.shape(), DType::i32);
  if (golden.find(prefix + "types") != nullptr) types = golden.tensor(prefix + "types").rows(begin, end);
  return pack(ids.host<int32_t>(), types.host<int32_t>(), positions, offsets);
}

Tensor golden_labels(const SafetensorsFile& golden, const std::string& prefix, const std::string& task, int64_t first,
                     int64_t last) {
  const Tensor labels = golden.tensor(prefix + "labels");
  if (task == "text-classification") return labels.rows(first, last);
  const auto bounds = golden.tensor(prefix + "offsets").host<int32_t>();
  return labels.rows(bounds[static_cast<size_t>(first)], bounds[static_cast<size_t>(last)]);
}

Tensor golden_logits(const Model& model, const PackedSequences& batch, const nn::Mode& mode) {
  switch (model.head) {
    case Head::sequence_classification:
      return model.network->sequence_logits(batch, mode);
    case Head::token_classification:
      return model.network->token_logits(batch, mode);
    default:
      break;
  }
  std::vector<int32_t> rows(static_cast<size_t>(batch.ids.dim(0)));
  std::iota(rows.begin(), rows.end(), 0);
  return model.network->masked_lm_logits(batch, Tensor::from(rows, batch.ids.shape()), mode);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  SUANLI_ASSERT(a.elements() == b.elements());
  const auto x = a.host<float>(), y = b.host<float>();
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double difference = std::abs(static_cast<double>(x[i]) - y[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

double norm(const Tensor& a) {
  double sum = 0;
  for (const float value : a.host<float>()) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

double relative_distance(const Tensor& a, const Tensor& b) {
  SUANLI_ASSERT(a.elements() == b.elements());
  const auto x = a.host<float>(), y = b.host<float>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += std::pow(static_cast<double>(x[i]) - y[i], 2);
  return std::sqrt(sum) / norm(b);
}

}  // namespace suanli::models
