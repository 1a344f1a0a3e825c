#include "tensor/shape.h"

#include <algorithm>

#include "base/error.h"

namespace suanli {

Shape::Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const int64_t> sizes) {
  if (sizes.size() > kMaxRank) {
    throw UserError("shape", "expected at most 8 dimensions, got " + std::to_string(sizes.size()));
  }
  rank_ = static_cast<int>(sizes.size());
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  check();
}

void Shape::check() {
  for (int64_t size : sizes()) {
    if (size < 0) throw UserError("shape", "expected sizes of at least 0, got " + text());
    if (__builtin_mul_overflow(elements_, size, &elements_) || elements_ > int64_t{1} << 62) {
      throw UserError("shape", "expected at most 2^62 elements, got " + text());
    }
  }
}

int64_t Shape::dim(int i) const {
  const int index = i < 0 ? i + rank_ : i;
  if (index < 0 || index >= rank_) {
    throw UserError("shape", "dimension " + std::to_string(i) + " of " + text() + " does not exist");
  }
  return sizes_[static_cast<size_t>(index)];
}

std::string Shape::text() const {
  std::string out = "[";
  for (int i = 0; i < rank_; ++i) out += (i > 0 ? ", " : "") + std::to_string((*this)[i]);
  return out + "]";
}

bool Shape::operator==(const Shape& other) const { return std::ranges::equal(sizes(), other.sizes()); }

}  // namespace suanli
