/// The sizes of a dense row-major tensor.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace suanli {

/// Up to eight sizes, each >= 0, whose product fits 2^62. A shape of rank 0 is a scalar with one element.
class Shape {
 public:
  static constexpr int kMaxRank = 8;
  Shape() = default;
  /// Throws UserError for a negative size, too many sizes, or a product over 2^62.
  Shape(std::initializer_list<int64_t> sizes);
  explicit Shape(std::span<const int64_t> sizes);

  int rank() const { return rank_; }
  /// Size of dimension `i`; negative counts from the end. Throws UserError when there is none.
  int64_t dim(int i) const;
  int64_t operator[](int i) const { return sizes_[static_cast<size_t>(i)]; }
  int64_t elements() const { return elements_; }
  std::span<const int64_t> sizes() const { return {sizes_.data(), static_cast<size_t>(rank_)}; }
  /// "[2, 3]".
  std::string text() const;
  bool operator==(const Shape& other) const;

 private:
  void check();
  std::array<int64_t, kMaxRank> sizes_ = {};
  int rank_ = 0;
  int64_t elements_ = 1;
};

}  // namespace suanli
