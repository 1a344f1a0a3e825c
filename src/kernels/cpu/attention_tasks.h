/// How attention is cut into tasks, for every kernel alike, and the rows of one on tiles.
#pragma once

#include <algorithm>

#include "base/parallel.h"
#include "kernels/attention.h"

namespace suanli::kernels {

/// Rows of scores for a block of queries: the first query's element in lse, how many there are, the keys that take part
/// for the first and how many more for each next one; what is behind them up to `width` must be 0. Rows lie `stride`
/// apart.
struct QueryRows {
  int64_t token, count, keys, more_keys, width, stride;
  int64_t keys_of(int64_t i) const { return keys + i * more_keys; }
};

/// Calls f(sequence, head, begin, end) on some thread for each head of a sequence or, where those are few, for blocks
/// of 64 of its queries; `small` keeps them on the caller.
template <class F>
void each_query_range(const AttentionForward& a, bool small, const F& f) {
  const int64_t heads = a.sequences * a.heads;
  const int64_t cut = heads >= 32 ? std::max<int64_t>(a.longest, 1) : 64, blocks = (a.longest + cut - 1) / cut;
  parallel_tasks(heads * blocks, small, [&](int64_t task) {
    const int64_t block = task % blocks, head = task / blocks % a.heads, sequence = task / blocks / a.heads;
    const int64_t length = a.offsets[sequence + 1] - a.offsets[sequence];
    const int64_t begin = block * cut, end = std::min(length, begin + cut);
    if (begin < end) f(sequence, head, begin, end);
  });
}

}  // namespace suanli::kernels
