// Rows of a table and their gradient: repeated ids, rows without ids, tables of another dtype.
#include "kernels/embedding.h"

#include "kernels/atomics.h"
#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::EmbeddingBackward;
using kernels::EmbeddingForward;

struct EmbeddingShape {
  int64_t rows, vocab, width;
};
const std::vector<EmbeddingShape> kShapes = {{0, 5, 8},   {1, 1, 1},   {7, 3, 7},       {16, 40, 16},
                                             {33, 9, 17}, {64, 2, 33}, {150, 1000, 384}};

/// Ids with many repetitions of few rows, as in text.
Values ids(const EmbeddingShape& s) {
  RandomGenerator random({.seed = 7, .step = 0, .site = 50});
  Values out;
  for (int64_t t = 0; t < s.rows; ++t) {
    const uint64_t bound =
        t % 3 == 0 ? static_cast<uint64_t>(s.vocab) : std::min<uint64_t>(3, static_cast<uint64_t>(s.vocab));
    out.push_back(static_cast<double>(random.below(bound)));
  }
  return out;
}

DType table_dtype(Kind kind, DType dtype) { return dtype_of_kind(kind, dtype); }

TEST(EmbeddingForward, CopiesRowsAndRoundsThemOnce) {
  for (const EmbeddingShape& s : kShapes) {
    for (const Kind kind : {Kind::data, Kind::statistic}) {
      Values table = normal(s.vocab * s.width, 51);
      table[0] = std::numeric_limits<double>::quiet_NaN();
      const auto exact = [](size_t, const std::vector<Values>&, DType) { return 0.0; };
      check_all(kernels::embedding_forward,
                Problem<EmbeddingForward>{
                    std::to_string(s.rows) + " of " + std::to_string(s.vocab) + "x" + std::to_string(s.width),
                    {Array::input("table", table, kind), Array::input("ids", ids(s), Kind::index),
                     Array::output("y", s.rows * s.width, exact)},
                    [=](DType dtype, const Pointers& p) {
                      return EmbeddingForward{p[0],    static_cast<const int32_t*>(p[1]), p[2], s.rows, s.vocab,
                                              s.width, table_dtype(kind, dtype),          dtype};
                    }});
    }
  }
}

/// `step`: the gradients are multiples of it; 0: any numbers.
void check_gradients(double step) {
  for (const EmbeddingShape& s : kShapes) {
    for (const Kind kind : {Kind::data, Kind::statistic}) {
      const Values rows = ids(s);
      Values dy = normal(s.rows * s.width, 52);
      for (double& value : dy) value = step == 0 ? value : std::round(value / step) * step;
      // For each row of the table: how often it is used, and the largest sum of squares of its gradients, 1.01 for
      // bf16.
      Values uses(static_cast<size_t>(s.vocab), 0), squares(static_cast<size_t>(s.vocab), 0);
      for (size_t t = 0; t < rows.size(); ++t) {
        const auto id = static_cast<size_t>(rows[t]);
        const double size = 1.01 * largest(dy.data() + static_cast<int64_t>(t) * s.width, s.width);
        squares[id] += size * size;
        ++uses[id];
      }
      const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
        const auto id = i / static_cast<size_t>(s.width);
        return sum_error(sum_dtype(dtype), static_cast<int64_t>(uses[id]), std::sqrt(squares[id] * uses[id]));
      };
      check_all(kernels::embedding_backward,
                Problem<EmbeddingBackward>{
                    std::to_string(s.rows) + " of " + std::to_string(s.vocab) + "x" + std::to_string(s.width),
                    {Array::input("dy", dy), Array::input("ids", rows, Kind::index),
                     Array::output("dtable", s.vocab * s.width, bound, kind)},
                    [=](DType dtype, const Pointers& p) {
                      return EmbeddingBackward{p[0],    static_cast<const int32_t*>(p[1]), p[2], s.rows, s.vocab,
                                               s.width, table_dtype(kind, dtype),          dtype};
                    }});
    }
  }
}

TEST(EmbeddingBackward, SumsTheRowsOfEachId) { check_gradients(0); }

// By atomics the same sums in some order, where they are allowed and the table holds sums; nowhere else. Eighths are
// summed exactly in every order, so that equal bits can be asked for.
TEST(EmbeddingBackward, AtomicsWhereTheyAreAllowed) {
  const auto* by_atomics = kernels::embedding_backward.find("atomics", DeviceType::cuda);
  if (by_atomics == nullptr || device_count(DeviceType::cuda) == 0) return;  // no such implementation, no such device
  const auto taken = [&](DType dtype, DType table) {
    EmbeddingBackward args = {};
    args.dtype = dtype, args.table_dtype = table;
    return by_atomics->can_run(args, machine()) == nullptr;
  };
  EXPECT_FALSE(taken(DType::bf16, DType::f32)) << "not allowed";
  kernels::atomics_allowed = true;
  EXPECT_TRUE(taken(DType::bf16, DType::f32) && taken(DType::f32, DType::f32) && taken(DType::f64, DType::f64));
  EXPECT_FALSE(taken(DType::bf16, DType::bf16));
  check_gradients(1.0 / 8);
  kernels::atomics_allowed = false;
}

}  // namespace
}  // namespace suanli::testing
