/// Threads for kernels: OpenMP over ranges or tasks, a plain call where the work is too small to share.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace suanli::kernels {

/// Calls f(begin, end) on consecutive ranges that cover [0, count), one a thread. With `count` <= `grain` (about
/// 20 us of work) the caller does it all. f must give the same result however the range is cut.
template <class F>
void parallel_for(int64_t count, int64_t grain, const F& f) {
  if (count <= 0) return;
  if (count <= grain || omp_in_parallel() || omp_get_max_threads() == 1) {
    f(int64_t{0}, count);
    return;
  }
#pragma omp parallel
  {
    const int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
    const int64_t begin = count * thread / threads, end = count * (thread + 1) / threads;
    if (begin < end) f(begin, end);
  }
}

/// Calls f(i) for every task 0 <= i < count of unequal size, each on some thread; `small` keeps them on the caller.
template <class F>
void parallel_tasks(int64_t count, bool small, const F& f) {
  if (small || count <= 1 || omp_in_parallel() || omp_get_max_threads() == 1) {
    for (int64_t i = 0; i < count; ++i) f(i);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) f(i);
}

/// Rows are reduced in blocks whose number depends on the row count alone, so that sums do not depend on threads.
struct RowBlocks {
  explicit RowBlocks(int64_t row_count)
      : rows(row_count), size(std::max<int64_t>(32, (row_count + 63) / 64)), count((row_count + size - 1) / size) {}
  int64_t begin(int64_t block) const { return block * size; }
  int64_t end(int64_t block) const { return std::min(rows, (block + 1) * size); }
  int64_t rows, size, count;
};

}  // namespace suanli::kernels
