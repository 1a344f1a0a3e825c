#include "serve/embedding.h"

#include <algorithm>
#include <cmath>

#include "base/base64.h"

namespace suanli::serve {

std::vector<float> embedding_of(std::span<const float> row, size_t dimensions, bool normalize) {
  std::vector<float> out(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(std::min(dimensions, row.size())));
  if (!normalize) return out;
  double sum = 0;
  for (const float value : out) sum += static_cast<double>(value) * value;
  const auto scale = static_cast<float>(1 / std::max(std::sqrt(sum), 1e-12));
  for (float& value : out) value *= scale;
  return out;
}

std::string base64_of(std::span<const float> values) {
  return to_base64({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

}  // namespace suanli::serve
