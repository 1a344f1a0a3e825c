#include "serve/embedding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>

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
  std::string out(4 * ((values.size_bytes() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(values.data()), static_cast<int>(values.size_bytes()));
  out.resize(static_cast<size_t>(length));
  return out;
}

}  // namespace suanli::serve
