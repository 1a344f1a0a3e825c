#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/column_sum.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/matmul.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// partial[block, :] = the sum of the rows of one block, four rows at a time.
template <class T>
void block_sum_as(const ColumnSum& a, int64_t begin, int64_t end, float* partial) {
  each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE { store(hn::Zero(F32()), partial + c, n); });
  int64_t r = begin;
  for (; r + 4 <= end; r += 4) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const T* p = x + c;
      const Vector low = hn::Add(load(p, n), load(p + a.width, n));
      const Vector high = hn::Add(load(p + 2 * a.width, n), load(p + 3 * a.width, n));
      store(hn::Add(load(partial + c, n), hn::Add(low, high)), partial + c, n);
    });
  }
  for (; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    each_vector(a.width, [&](int64_t c, int64_t n)
                             SUANLI_INLINE { store(hn::Add(load(partial + c, n), load(x + c, n)), partial + c, n); });
  }
}
void column_block_sum(const ColumnSum& a, int64_t begin, int64_t end, float* partial) {
  a.dtype == DType::f32 ? block_sum_as<float>(a, begin, end, partial) : block_sum_as<bfloat16>(a, begin, end, partial);
}

/// y[c] = sum over blocks of partial[block, c] for columns [begin, end), in the order of the blocks.
void combine_columns(const float* partial, int64_t blocks, int64_t width, float* y, int64_t begin, int64_t end) {
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
    Vector sum = hn::Zero(F32());
    for (int64_t b = 0; b < blocks; ++b) sum = hn::Add(sum, load(partial + b * width + begin + i, n));
    store(sum, y + begin + i, n);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/combine.h"
#include "kernels/cpu/row_blocks.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(column_block_sum);
HWY_EXPORT(combine_columns);

void combine_row_blocks(const float* partial, int64_t blocks, int64_t width, float* y) {
  parallel_for(width, (int64_t{1} << 17) / (blocks + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(combine_columns)(partial, blocks, width, y, begin, end);
  });
}

namespace {
void run_column_sum(const ColumnSum& a, Stream&) {
  const RowBlocks blocks(a.rows);
  float* partial = shared_scratch().get<float>(blocks.count * a.width + 1);
  parallel_for(blocks.count, (int64_t{1} << 16) / (blocks.size * a.width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      HWY_DYNAMIC_DISPATCH(column_block_sum)(a, blocks.begin(b), blocks.end(b), partial + b * a.width);
    }
  });
  combine_row_blocks(partial, blocks.count, a.width, static_cast<float*>(a.y));
}
}  // namespace

void add_column_sum() {
  column_sum.add({"simd", DeviceType::cpu,
                  [](const ColumnSum& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); }, run_column_sum});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
