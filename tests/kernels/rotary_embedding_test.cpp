// Rotation by position: values, its inverse, columns that stay.
#include "kernels/rotary_embedding.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::RotaryEmbedding;

struct RotaryShape {
  int64_t tokens, heads, head_size, behind;  ///< columns behind the rotated heads
};
const std::vector<RotaryShape> kShapes = {{0, 2, 8, 8},  {1, 1, 2, 0},   {3, 2, 6, 6},    {5, 3, 16, 20},
                                          {7, 4, 32, 1}, {9, 3, 64, 64}, {2, 2, 80, 160}, {33, 1, 34, 7}};
constexpr int64_t kPositions = 40;

// Arrays: 0 x, 1 table, 2 positions, 3 y.
Problem<RotaryEmbedding> problem_of(const RotaryShape& s, bool inverse) {
  const int64_t width = s.heads * s.head_size + s.behind, half = s.head_size / 2;
  Values table, positions;
  for (int64_t p = 0; p < kPositions; ++p) {
    const auto angle = [&](int64_t i) { return static_cast<double>(p) * std::pow(10.0, -static_cast<double>(i)); };
    for (int64_t i = 0; i < half; ++i) table.push_back(std::cos(angle(i)));
    for (int64_t i = 0; i < half; ++i) table.push_back(std::sin(angle(i)));
  }
  for (int64_t t = 0; t < s.tokens; ++t) positions.push_back(static_cast<double>((t * 7 + 3) % kPositions));
  // Two products and a sum, whose cosine and sine are at most 1.
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const auto column = static_cast<int64_t>(i) % width;
    if (column >= s.heads * s.head_size) return 0.0;
    const size_t other = column % s.head_size < half ? i + static_cast<size_t>(half) : i - static_cast<size_t>(half);
    return 4 * rounding(sum_dtype(dtype), std::abs(v[0][i]) + std::abs(v[0][other]));
  };
  return {std::to_string(s.tokens) + " tokens, " + std::to_string(s.heads) + " heads of " +
              std::to_string(s.head_size) + (inverse ? ", inverse" : ""),
          {Array::input("x", normal(s.tokens * width, 60)), Array::input("table", table, Kind::statistic),
           Array::input("positions", positions, Kind::index), Array::output("y", s.tokens * width, bound)},
          [=](DType dtype, const Pointers& p) {
            return RotaryEmbedding{
                p[0],    p[1], static_cast<const int32_t*>(p[2]), p[3], s.tokens, width, s.heads, s.head_size,
                inverse, dtype};
          }};
}

TEST(RotaryEmbedding, EveryShapeAndItsInverse) {
  for (const RotaryShape& shape : kShapes) {
    for (const bool inverse : {false, true}) {
      check_all(kernels::rotary_embedding, problem_of(shape, inverse));
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace suanli::testing
